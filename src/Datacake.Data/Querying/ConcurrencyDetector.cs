namespace Datacake.Data.Querying;

/// <summary>A guard against two operations that use a context, which is not thread-safe, at the same time.</summary>
sealed class ConcurrencyDetector
{
    int _isBusy;

    /// <summary>True if an operation is in progress.</summary>
    public bool IsBusy => Volatile.Read(ref _isBusy) != 0;

    /// <summary>Starts an operation, which ends when the result is disposed.</summary>
    public Operation Enter()
    {
        if (Interlocked.CompareExchange(ref _isBusy, 1, 0) != 0)
            throw Misuse();
        return new Operation(this);
    }

    /// <summary>Throws if an operation is in progress, because the tracked entities must not change meanwhile.</summary>
    public void ThrowIfBusy()
    {
        if (IsBusy)
            throw Misuse();
    }

    static InvalidOperationException Misuse() => new(
        "A second operation was started on this context before the previous one completed. A context runs one operation at a time. Await each "
        + "call before you start the next one, and use a separate context in each thread.");

    public readonly struct Operation(ConcurrencyDetector detector) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref detector._isBusy, 0);
    }
}
