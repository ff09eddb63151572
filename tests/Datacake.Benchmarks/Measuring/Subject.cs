namespace Datacake.Benchmarks.Measuring;

/// <summary>A system that a cell measures.</summary>
/// <param name="System">The name of the system.</param>
/// <param name="OpenAsync">Sets up the system for the cell.</param>
sealed record Subject(string System, Func<Task<Session>> OpenAsync)
{
    /// <summary>Creates a system that needs no setup.</summary>
    public Subject(string system, Func<int, long, ValueTask> operate)
        : this(system, () => Task.FromResult(new Session(operate)))
    {
    }
}
