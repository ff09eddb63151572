using System.Globalization;

namespace Datacake.Benchmarks.Reporting;

/// <summary>Formats figures for display.</summary>
static class Figures
{
    /// <summary>Formats a figure with three significant digits, or with all digits before the decimal point.</summary>
    public static string Short(double figure) => figure.ToString(
        Math.Abs(figure) switch { >= 100 => "#,##0", >= 10 => "0.0", 0 => "0", < 0.1 => "0.0000", _ => "0.00" }, CultureInfo.InvariantCulture);
}
