"""What every function measures, in one sentence each; what parameters mean; how outputs are called.

A candlestick pattern is 100 on the bar that completes it upwards, -100 downwards (200 and -200 where a
later bar confirms it) and 0 elsewhere.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ALIASES", "BUILT_IN_DESCRIPTIONS", "DESCRIPTIONS", "parameter_meaning"]


def _table(text: str) -> Mapping[str, str]:
    return MappingProxyType(dict(line.split(maxsplit=1) for line in text.strip().splitlines()))


BUILT_IN_DESCRIPTIONS = _table(
    """
abs         The value without its sign.
day_of_week The weekday of the bar: 0 on Monday to 6 on Sunday.
diff        The value minus the value n bars before.
lag         The value n bars before.
log         The natural logarithm; NaN where the value is zero or negative.
max         The greatest of the values given, bar by bar; MAX is the highest of the last bars.
min         The least of the values given, bar by bar; MIN is the lowest of the last bars.
month       The calendar month of the bar: 1 in January to 12 in December.
pct_change  The change since n bars before as a share of it: 0.01 is one percent (ROC is in percent).
rank        Where the value stands among the last n: 0 when lowest, 1 when highest, ties in the middle.
sign        1 where the value is positive, -1 where it is negative, 0 where it is zero.
zscore      How many standard deviations the value lies from the mean of the last n.
"""
)

DESCRIPTIONS = _table(
    """
HT_DCPERIOD  Length in bars of the cycle that dominates the price, by Ehlers' Hilbert transform.
HT_DCPHASE   Where the price stands in its dominant cycle, as an angle in degrees.
HT_PHASOR    In-phase and quadrature components of the price's dominant cycle.
HT_SINE      Sine of the dominant cycle's phase, and the same 45 degrees ahead; they cross at its turns.
HT_TRENDMODE 1 while the price trends, 0 while it swings in a cycle, by Ehlers' Hilbert transform.
ADD         Sum of two inputs, bar by bar.
CUMSUM      Running total since the first bar.
DIV         First input divided by the second, bar by bar.
MAX         Highest value of the last bars.
MAXINDEX    Position, counted from the first bar, of the highest value of the last bars.
MIN         Lowest value of the last bars.
MININDEX    Position, counted from the first bar, of the lowest value of the last bars.
MINMAX      Lowest and highest value of the last bars.
MINMAXINDEX Positions, counted from the first bar, of the lowest and highest value of the last bars.
MULT        Product of two inputs, bar by bar.
SUB         First input minus the second, bar by bar.
SUM         Sum of the values of the last bars.
ACOS  Angle in radians whose cosine is the value; NaN outside -1 to 1.
ASIN  Angle in radians whose sine is the value; NaN outside -1 to 1.
ATAN  Angle in radians whose tangent is the value.
CEIL  Value rounded up to a whole number.
COS   Cosine of the value in radians.
COSH  Hyperbolic cosine of the value.
EXP   The number e raised to the value.
FLOOR Value rounded down to a whole number.
LN    Natural logarithm; NaN where the value is zero or negative.
LOG10 Logarithm to base ten; NaN where the value is zero or negative.
SIN   Sine of the value in radians.
SINH  Hyperbolic sine of the value.
SQRT  Square root; NaN where the value is negative.
TAN   Tangent of the value in radians.
TANH  Hyperbolic tangent: the value squeezed between -1 and 1.
AC       Acceleration of the market: the awesome oscillator minus its own moving average (Williams).
ADX      Strength of the trend from 0 to 100, whatever its direction (Wilder).
ADXR     Average of the ADX now and a period ago.
AO       Fast minus slow simple average of the bars' midpoints (Williams' awesome oscillator).
APO      Fast minus slow moving average, in units of price.
AROON    How recently the lowest low and the highest high came: 100 is this bar, 0 a full period ago.
AROONOSC Aroon up minus Aroon down, from -100 to 100.
BOP      Where the bar closed against its open, as a share of its range, from -1 to 1.
CCI      Distance of the typical price from its average, in average deviations (Lambert).
CMO      Gains minus losses over gains plus losses, Wilder-smoothed, from -100 to 100 (Chande).
CMOU     Gains minus losses over gains plus losses, summed over the last bars, from -100 to 100.
COPPOCK  Weighted average of a short and a long rate of change added together (Coppock curve).
DPO      Price of half a period ago minus the average now, which takes the trend out.
DX       Difference of the directional indicators over their sum, from 0 to 100 (Wilder).
ER       Net move over the path travelled: 1 for a straight line, 0 for noise (Kaufman).
ERI      High and low of the bar measured from an exponential average: bull and bear power (Elder).
FOSC     Close minus the regression forecast of the bar before, in percent of the close.
FRACTAL  100 on the bar that confirms a swing high or a swing low some bars earlier (Williams).
IMI      Share of rising bodies in the sum of all bodies of the last bars, from 0 to 100.
KDJ      Stochastic K and D, Wilder-smoothed unless told otherwise, and J = 3K - 2D, which runs ahead of both.
MACD     Fast minus slow exponential average, its signal line, and the gap between the two (Appel).
MACDEXT  MACD with a kind of moving average to choose for each of its three lines.
MACDFIX  MACD with 12 and 26 bars fixed, at the rounded smoothing factors 0.15 and 0.075.
MFI      RSI of the typical price weighted by volume: money flow from 0 to 100.
MINUS_DI Share of downward directional movement in the true range, in percent (Wilder).
MINUS_DM Downward directional movement, Wilder-smoothed, in units of price.
MOM      Value minus the value some bars ago.
PLUS_DI  Share of upward directional movement in the true range, in percent (Wilder).
PLUS_DM  Upward directional movement, Wilder-smoothed, in units of price.
PPO      Fast minus slow moving average, in percent of the slow one.
QSTICK   Average of close minus open over the last bars (Chande).
ROC      Change since some bars ago, in percent.
ROCP     Change since some bars ago as a share: 0.01 is one percent.
ROCR     Value divided by the value some bars ago.
ROCR100  Value in percent of the value some bars ago.
RSI      Share of average gains in average gains plus losses, from 0 to 100 (Wilder).
SMI      Close against the middle of its range, twice smoothed, from -100 to 100, and its signal (Blau).
STOCH    Where the close lies in the recent range, from 0 to 100, smoothed: slow K and slow D (Lane).
STOCHF   Where the close lies in the recent range, from 0 to 100: fast K and its average D (Lane).
STOCHRSI Where the RSI lies in its own recent range, from 0 to 100: fast K and its average D.
TRIX     One-bar rate of change of a triple exponential average, in percent.
TSI      Twice smoothed change over twice smoothed absolute change, from -100 to 100 (Blau).
ULTOSC   Buying pressure over true range in three periods, weighted 4:2:1, from 0 to 100 (Williams).
VHF      Range of the last bars over the path travelled in them: high in trends, low in congestion.
VORTEX   Upward and downward movement between neighbouring bars over their true range.
WAD      Running total of buying and selling pressure measured from true highs and lows (Williams).
WILLR    Where the close lies below the recent high: 0 at the high, -100 at the low (Williams).
ACCBANDS     Bands whose width grows with the bars' range, around an average (Headley).
BBANDS       Bands some standard deviations above and below a moving average (Bollinger).
DEMA         Double exponential average, which lags less than a single one (Mulloy).
DONCHIAN     Highest high, lowest low and their middle over the last bars.
EMA          Average whose weights fall off exponentially with age.
HMA          Weighted average of weighted averages, fast and smooth (Hull).
HT_TRENDLINE Price with its dominant cycle averaged out (Ehlers).
KAMA         Average that speeds up in trends and slows down in noise (Kaufman).
KC           Bands some average true ranges above and below an exponential average (Keltner).
MA           Moving average of a kind to choose.
MAMA         Average that adapts to the phase of the cycle, and a slower one that follows it (Ehlers).
MAVP         Moving average whose period is another input, bar by bar.
MIDPOINT     Middle between the highest and lowest value of the last bars.
MIDPRICE     Middle between the highest high and lowest low of the last bars.
RMA          Exponential average with the smoothing factor one over the period (Wilder).
SAR          Stop level that trails the price faster the longer a trend lasts, and flips with it (Wilder).
SAREXT       Parabolic stop with separate settings for long and short; negative while short.
SMA          Plain average of the last bars.
SUPERTREND   Stop level some average true ranges from the bars' middle, and its side: 1 up, -1 down.
T3           Six exponential averages combined into one smooth, quick average (Tillson).
TEMA         Triple exponential average, which lags less than a double one (Mulloy).
TRIMA        Average whose weights are largest in the middle of the last bars.
VWMA         Average of the last bars weighted by their volume.
WMA          Average whose weights fall off evenly with age.
ZLEMA        Exponential average of a price moved forward by its own recent change to offset the lag.
CDL2CROWS           Long white bar, black bar above a gap, black bar closing into the first body: bearish.
CDL3BLACKCROWS      Three black bars, each opening in the body before and closing near its low: bearish.
CDL3INSIDE          Small body inside a long one, then a close beyond the long one: turns its direction.
CDL3LINESTRIKE      Three bars of one colour, then one of the other that takes back all three.
CDL3OUTSIDE         Body that engulfs the one before, then a close further in the new direction.
CDL3STARSINSOUTH    Three black bars, each smaller and with a higher low than the last: bullish.
CDL3WHITESOLDIERS   Three white bars, each opening in the body before and closing near its high: bullish.
CDLABANDONEDBABY    Doji cut off by gaps on both sides between two opposite bars: a turn.
CDLADVANCEBLOCK     Three white bars with shrinking bodies or longer upper shadows: a tiring rise.
CDLBELTHOLD         Long body that opens at its extreme, with no shadow on that side.
CDLBREAKAWAY        Gap and three more bars in a trend, then a long bar back into the gap.
CDLCLOSINGMARUBOZU  Long body that closes at its extreme, with no shadow on that side.
CDLCONCEALBABYSWALL Two black bars without shadows, a third gapping down, a fourth engulfing it: bullish.
CDLCOUNTERATTACK    Long bar and a long opposite bar that close at the same price.
CDLDARKCLOUDCOVER   Long white bar, then a black one opening above it and closing deep in its body: bearish.
CDLDOJI             Open and close almost equal.
CDLDOJISTAR         Long bar, then a doji that gaps away in its direction.
CDLDRAGONFLYDOJI    Doji at the top of the bar, with a long lower shadow and no upper one.
CDLENGULFING        Body that covers the whole opposite body before it.
CDLEVENINGDOJISTAR  Long white bar, doji above a gap, black bar deep into the first body: bearish.
CDLEVENINGSTAR      Long white bar, small body above a gap, black bar deep into the first body: bearish.
CDLGAPSIDESIDEWHITE Two white bars of like size side by side beyond a gap: the trend goes on.
CDLGRAVESTONEDOJI   Doji at the bottom of the bar, with a long upper shadow and no lower one.
CDLHAMMER           Small body at the top of a long lower shadow after lower prices: bullish.
CDLHANGINGMAN       Small body at the top of a long lower shadow after higher prices: bearish.
CDLHARAMI           Small body inside the long body before it.
CDLHARAMICROSS      Doji inside the long body before it.
CDLHIGHWAVE         Short body with very long shadows on both sides.
CDLHIKKAKE          Inside bar with a false break to one side; confirmed when price leaves on the other.
CDLHIKKAKEMOD       Hikkake that needs a second inside bar and a close near the extreme before it.
CDLHOMINGPIGEON     Small black body inside a long black body: bullish.
CDLIDENTICAL3CROWS  Three black bars, each opening at about the close before: bearish.
CDLINNECK           Long black bar, then a white one from below that closes just inside its body: bearish.
CDLINVERTEDHAMMER   Small body under a long upper shadow, below the body before: bullish.
CDLKICKING          Two opposite bars without shadows and a gap between, signed by the second one.
CDLKICKINGBYLENGTH  Two opposite bars without shadows and a gap between, signed by the longer one.
CDLLADDERBOTTOM     Three falling black bars, one with an upper shadow, a white bar above it: bullish.
CDLLONGLEGGEDDOJI   Doji with at least one long shadow.
CDLLONGLINE         Long body with short shadows.
CDLMARUBOZU         Long body with hardly a shadow on either side.
CDLMATCHINGLOW      Two black bars that close at the same price: bullish.
CDLMATHOLD          Long white bar, gap up, small bars holding inside it, a new high close: a rise goes on.
CDLMORNINGDOJISTAR  Long black bar, doji below a gap, white bar deep into the first body: bullish.
CDLMORNINGSTAR      Long black bar, small body below a gap, white bar deep into the first body: bullish.
CDLONNECK           Long black bar, then a white one from below that closes at its low: bearish.
CDLPIERCING         Long black bar, then a white one from below that closes above its middle: bullish.
CDLRICKSHAWMAN      Doji with long shadows and its body near the middle of the bar.
CDLRISEFALL3METHODS Long bar, three small ones against it inside its range, then a long one beyond.
CDLSEPARATINGLINES  Two opposite bars with the same open, the second going on with the trend.
CDLSHOOTINGSTAR     Small body under a long upper shadow, above a gap: bearish.
CDLSHORTLINE        Short body with short shadows.
CDLSPINNINGTOP      Small body with shadows longer than it on both sides.
CDLSTALLEDPATTERN   Two long white bars, then a small one at the top of the second: a tiring rise.
CDLSTICKSANDWICH    White bar between two black ones that close at the same price: bullish.
CDLTAKURI           Dragonfly doji with a very long lower shadow.
CDLTASUKIGAP        Gap, a bar in its direction, then one against it that does not close the gap.
CDLTHRUSTING        Long black bar, then a white one from below that closes short of its middle: bearish.
CDLTRISTAR          Three dojis in a row, the middle one set off by a gap: a turn.
CDLUNIQUE3RIVER     Long black bar, a black one with a lower low, then a small white one below it: bullish.
CDLUPSIDEGAP2CROWS  White bar, then two black ones above a gap, the second engulfing the first: bearish.
CDLXSIDEGAP3METHODS Two bars of one colour with a gap between them, then an opposite one that fills it.
AVGDEV   Average distance of the last values from their own mean.
AVGPRICE Average of open, high, low and close.
HA       Heikin-Ashi candles: open, high, low and close averaged into smoother bars.
MEDPRICE Middle between high and low of the bar.
TYPPRICE Average of high, low and close.
WCLPRICE Average of high, low and the close counted twice.
BETA                Slope of the second input's one-bar changes on the first's, over the last bars.
CORREL              Pearson correlation of two inputs over the last bars, from -1 to 1.
LINEARREG           End of the straight line fitted to the last values.
LINEARREG_ANGLE     Slope of the straight line fitted to the last values, as an angle in degrees.
LINEARREG_INTERCEPT Start of the straight line fitted to the last values.
LINEARREG_SLOPE     Rise per bar of the straight line fitted to the last values.
PERCENTILE          The value below which a given percentage of the last values lies, by nearest rank.
PERCENTRANK         Percentage of the values before it that are smaller than the value now.
STDDEV              Standard deviation of the last values around their mean, with division by their number.
TSF                 The straight line fitted to the last values, extended by one bar.
VAR                 Variance of the last values around their mean, with division by their number.
ADR    Average distance from low to high over the last bars.
ATR    True range, which counts the gap from the close before, Wilder-smoothed.
CVI    Rate of change, in percent, of the smoothed distance from low to high (Chaikin).
MASSI  Sum of ratios of once to twice smoothed ranges, which bulges before turns (Dorsey).
NATR   Average true range in percent of the close.
RVI    Share of standard deviation on rising bars, Wilder-smoothed, from 0 to 100 (Dorsey).
TRANGE Distance from low to high of the bar, the close before included.
AD       Running total of volume, signed by where the bar closed in its range (Chaikin).
ADOSC    Fast minus slow exponential average of the accumulation/distribution line (Chaikin).
CMF      Share of the last bars' volume that closed high rather than low, from -1 to 1 (Chaikin).
EFI      Exponential average of price change times volume (Elder's force index).
MARKETFI Distance from low to high per unit of volume (Williams).
NVI      Compounded price change of the bars whose volume fell.
OBV      Running total of volume, added on rising and subtracted on falling bars (Granville).
PVI      Compounded price change of the bars whose volume rose.
PVO      Fast minus slow moving average of the volume, in percent of the slow one.
PVT      Running total of volume times relative price change.
RVOL     Volume divided by the average volume of the bars before.
VWAP     Average price since the first bar, weighted by volume.
"""
)

ALIASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ACCBANDS": {"upperband": "upper", "middleband": "middle", "lowerband": "lower"},
        "AROON": {"aroondown": "down", "aroonup": "up"},
        "BBANDS": {"upperband": "upper", "middleband": "middle", "lowerband": "lower"},
        "DONCHIAN": {"upperband": "upper", "middleband": "middle", "lowerband": "lower"},
        "ERI": {"bullpower": "bull", "bearpower": "bear"},
        "FRACTAL": {"swinghigh": "high", "swinglow": "low"},
        "HA": {"haopen": "open", "hahigh": "high", "halow": "low", "haclose": "close"},
        "HT_SINE": {"leadsine": "lead"},
        "KC": {"upperband": "upper", "middleband": "middle", "lowerband": "lower"},
        "MACD": {"macdsignal": "signal", "macdhist": "hist"},
        "MACDEXT": {"macdsignal": "signal", "macdhist": "hist"},
        "MACDFIX": {"macdsignal": "signal", "macdhist": "hist"},
        "MINMAXINDEX": {"minidx": "min", "maxidx": "max"},
        "SMI": {"smisignal": "signal"},
        "STOCH": {"slowk": "k", "slowd": "d"},
        "STOCHF": {"fastk": "k", "fastd": "d"},
        "STOCHRSI": {"fastk": "k", "fastd": "d"},
        "SUPERTREND": {"supertrend": "line"},
        "VORTEX": {"plusvi": "plus", "minusvi": "minus"},
    }
)

_MEANINGS = _table(
    """
acceleration         step of the acceleration factor at each new extreme
accelerationinitlong acceleration factor a long stop starts with
accelerationinitshort acceleration factor a short stop starts with
accelerationlong     step of a long stop's acceleration factor at each new high
accelerationmaxlong  largest acceleration factor of a long stop
accelerationmaxshort largest acceleration factor of a short stop
accelerationshort    step of a short stop's acceleration factor at each new low
atrperiod            bars of the average true range
fastd_matype         kind of average that makes D
fastd_period         bars of the average that makes D
fastk_period         bars of the range
fastlimit            fastest smoothing factor
fastmatype           kind of the fast average
fastperiod           bars of the fast average
firstperiod          bars of the first smoothing
leftbars             bars before the swing that it must exceed
matype               kind of moving average
maximum              largest acceleration factor
maxperiod            longest period; longer ones are cut to it
minperiod            shortest period; shorter ones are raised to it
multiplier           average true ranges between price and stop
nbdev                factor on the deviation
nbdevdn              deviations down to the lower band
nbdevup              deviations up to the upper band
offsetonreverse      share by which the stop is moved away when it flips
penetration          share of the first body that the last bar must reach into
percentile           percentage of the values that lie below
rightbars            bars after the swing that confirm it
roc1period           bars of the short rate of change
roc2period           bars of the long rate of change
rocperiod            bars of the rate of change
secondperiod         bars of the second smoothing
signalmatype         kind of average that makes the signal line
signalperiod         bars of the signal line
slowd_matype         kind of average that makes D
slowd_period         bars of the average that makes D
slowk_matype         kind of average that makes K
slowk_period         bars of the average that makes K
slowlimit            slowest smoothing factor
slowmatype           kind of the slow average
slowperiod           bars of the slow average
startvalue           first stop: above 0 long, below 0 short, 0 by the first bars
stddevperiod         bars of the standard deviation
timeperiod           bars it is computed over
timeperiod1          bars of the short period
timeperiod2          bars of the middle period
timeperiod3          bars of the long period
vfactor              how far it leans towards the quicker average, from 0 to 1
wmaperiod            bars of the weighted average
"""
)

_OWN_MEANINGS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("KC", "nbdev"): "average true ranges between the middle and a band",
        ("KC", "timeperiod"): "bars of the exponential average in the middle",
        ("MASSI", "fastperiod"): "bars of both smoothings of the range",
        ("MASSI", "slowperiod"): "bars the ratio is summed over",
        ("RVI", "timeperiod"): "bars of the smoothing",
        ("SMI", "fastperiod"): "bars of the second smoothing",
        ("SMI", "slowperiod"): "bars of the first smoothing",
        ("SMI", "timeperiod"): "bars of the range",
        ("SUPERTREND", "timeperiod"): "bars of the average true range",
    }
)


def parameter_meaning(function: str, parameter: str) -> str:
    """What a parameter of one of TA-Lib's functions is, as a phrase; empty for an unknown one."""
    return _OWN_MEANINGS.get((function, parameter), _MEANINGS.get(parameter, ""))
