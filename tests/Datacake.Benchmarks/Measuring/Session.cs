namespace Datacake.Benchmarks.Measuring;

/// <summary>A system that is set up for one cell, with the operation to repeat and the way to close the system.</summary>
/// <param name="operate">
/// The operation of a worker. The first argument is the worker; the second is the number of the operation within the run, from 0. Each
/// worker starts an operation when its previous operation completes.
/// </param>
sealed class Session(Func<int, long, ValueTask> operate) : IAsyncDisposable
{
    /// <summary>Gets the operation of a worker.</summary>
    public Func<int, long, ValueTask> Operate { get; } = operate;

    /// <summary>Gets the action that prepares each run, including the warm-up. It is not measured.</summary>
    public Func<ValueTask> Prepare { get; init; } = () => ValueTask.CompletedTask;

    /// <summary>Gets a function that returns the bytes sent so far, if the system counts them better than the process's sockets.</summary>
    public Func<long>? WireBytes { get; init; }

    /// <summary>Gets the action that closes the system.</summary>
    public Func<ValueTask> Close { get; init; } = () => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => Close();
}
