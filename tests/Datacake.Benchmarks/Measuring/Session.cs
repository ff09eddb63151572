namespace Datacake.Benchmarks.Measuring;

/// <summary>One system that is set up for one cell: what it does again and again, and how it is taken down.</summary>
/// <param name="operate">
/// One operation of a worker; its second argument counts the worker's operations within a run, from 0. Each worker starts the next one when the one before
/// is done.
/// </param>
sealed class Session(Func<int, long, ValueTask> operate) : IAsyncDisposable
{
    /// <summary>One operation of a worker.</summary>
    public Func<int, long, ValueTask> Operate { get; } = operate;

    /// <summary>Called before each run, the warm-up included; does not count.</summary>
    public Func<ValueTask> Prepare { get; init; } = () => ValueTask.CompletedTask;

    /// <summary>What the system has sent so far, where that is known better than from the process's sockets.</summary>
    public Func<long>? WireBytes { get; init; }

    /// <summary>Takes the system down.</summary>
    public Func<ValueTask> Close { get; init; } = () => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => Close();
}
