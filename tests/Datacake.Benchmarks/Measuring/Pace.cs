namespace Datacake.Benchmarks.Measuring;

/// <summary>The durations of runs and warm-ups.</summary>
/// <param name="IsQuick">True to measure only the most informative cells.</param>
/// <param name="Run">The duration of a counted run.</param>
/// <param name="MinWarmUp">The minimum duration of the warm-up of a system in a cell.</param>
/// <param name="MaxWarmUp">The maximum duration of the warm-up, which continues while it makes the system faster.</param>
/// <param name="Runs">The number of counted runs.</param>
sealed record Pace(bool IsQuick, TimeSpan Run, TimeSpan MinWarmUp, TimeSpan MaxWarmUp, int Runs = 3)
{
    public static Pace Full { get; } = new(false, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));

    public static Pace Quick { get; } = new(true, TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1.2));

    /// <summary>Returns all elements, or the quick ones in a quick run.</summary>
    public IReadOnlyList<T> Choose<T>(IReadOnlyList<T> all, IReadOnlyList<T> quick) => IsQuick ? quick : all;
}
