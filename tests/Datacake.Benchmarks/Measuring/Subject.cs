namespace Datacake.Benchmarks.Measuring;

/// <summary>A system that a cell measures.</summary>
/// <param name="System">Its name.</param>
/// <param name="OpenAsync">Sets it up for the cell.</param>
sealed record Subject(string System, Func<Task<Session>> OpenAsync)
{
    /// <summary>A system that needs no setting up.</summary>
    public Subject(string system, Func<int, long, ValueTask> operate)
        : this(system, () => Task.FromResult(new Session(operate)))
    {
    }
}
