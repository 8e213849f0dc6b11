"""What people see of a training: graph, picture, diagnosis, and what it will take."""
