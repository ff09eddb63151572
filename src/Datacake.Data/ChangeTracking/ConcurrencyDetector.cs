namespace Datacake.Data;

/// <summary>Notices when a context, which is not thread-safe, is used by two operations at a time.</summary>
sealed class ConcurrencyDetector
{
    int _isBusy;

    /// <summary>Marks an operation until the result is disposed.</summary>
    public Operation Enter()
    {
        if (Interlocked.CompareExchange(ref _isBusy, 1, 0) != 0)
            throw Misuse();
        return new Operation(this);
    }

    /// <summary>Refuses a change of the tracked entities while an operation reads them.</summary>
    public void ThrowIfBusy()
    {
        if (Volatile.Read(ref _isBusy) != 0)
            throw Misuse();
    }

    static InvalidOperationException Misuse() => new(
        "A second operation was started on this context before the one before it completed. A context serves one operation at a time: await each "
        + "call before the next one, and give every thread a context of its own.");

    public readonly struct Operation(ConcurrencyDetector detector) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref detector._isBusy, 0);
    }
}
