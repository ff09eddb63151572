namespace Datacake.Dashboard.Charts;

/// <summary>One line of a chart.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Values">The values, the oldest first; NaN where there is none.</param>
sealed record ChartSeries(string Name, IReadOnlyList<double> Values)
{
    /// <summary>Gets the newest value; NaN if there is none.</summary>
    public double Newest => Values.LastOrDefault(static value => !double.IsNaN(value), double.NaN);

    /// <summary>Gets the greatest value; NaN if there is none.</summary>
    public double Greatest => Values.Where(static value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Max();

    /// <summary>Returns values of longer steps: the mean of those in each, or the greatest.</summary>
    public static IReadOnlyList<double> Combine(ReadOnlySpan<float> values, int perStep, bool takesGreatest)
    {
        var combined = new double[values.Length / perStep];
        for (int i = 0; i < combined.Length; i++)
        {
            double sum = 0, greatest = double.NaN;
            int count = 0;
            foreach (float value in values.Slice(i * perStep, perStep))
            {
                if (float.IsNaN(value))
                    continue;
                count++;
                sum += value;
                greatest = double.IsNaN(greatest) || value > greatest ? value : greatest;
            }
            combined[i] = count == 0 ? double.NaN : takesGreatest ? greatest : sum / count;
        }
        return combined;
    }
}
