"""What one step of the weights is made of: loss, gradient, optimizer, rate, and the order of the samples."""
