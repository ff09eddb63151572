using System.Diagnostics.CodeAnalysis;

namespace Datacake.DistributedLock;

/// <summary>The signal that a lock is lost, as long as its handle is not disposed. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a parent holds nothing that needs disposing.")]
sealed class LossSignal
{
    readonly CancellationTokenSource _lost = new();
    int _isEnded;

    public bool IsEnded => Volatile.Read(ref _isEnded) != 0;

    public CancellationToken Token => _lost.Token;

    /// <summary>Ends the signal, because the lock is released. Returns false if it has ended before.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _isEnded, 1) == 0;

    public void OnLost()
    {
        if (!IsEnded)
            _lost.Cancel();
    }
}
