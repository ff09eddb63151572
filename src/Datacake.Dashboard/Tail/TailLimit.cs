namespace Datacake.Dashboard.Tail;

/// <summary>The number of live tails that are open, and its limit. Thread-safe.</summary>
sealed class TailLimit(DashboardOptions options)
{
    int _open;

    /// <summary>Opens a tail, unless as many as allowed are open.</summary>
    public bool TryOpen()
    {
        if (Interlocked.Increment(ref _open) <= options.MaxTails)
            return true;
        Interlocked.Decrement(ref _open);
        return false;
    }

    public void Close() => Interlocked.Decrement(ref _open);
}
