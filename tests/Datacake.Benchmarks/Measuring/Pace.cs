namespace Datacake.Benchmarks.Measuring;

/// <summary>How long things are measured.</summary>
/// <param name="IsQuick">Whether only the cells are measured that show the most.</param>
/// <param name="Run">How long one counted run takes.</param>
/// <param name="MinWarmUp">The shortest warm-up of a system in a cell.</param>
/// <param name="MaxWarmUp">The longest: it goes on while it makes the system faster.</param>
/// <param name="Runs">How many runs count.</param>
sealed record Pace(bool IsQuick, TimeSpan Run, TimeSpan MinWarmUp, TimeSpan MaxWarmUp, int Runs = 3)
{
    public static Pace Full { get; } = new(false, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));

    public static Pace Quick { get; } = new(true, TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1.2));

    /// <summary>All of a list, or those of its elements that a quick run takes.</summary>
    public IReadOnlyList<T> Choose<T>(IReadOnlyList<T> all, IReadOnlyList<T> quick) => IsQuick ? quick : all;
}
