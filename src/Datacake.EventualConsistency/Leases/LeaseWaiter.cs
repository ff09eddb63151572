using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace Datacake.EventualConsistency.Leases;

/// <summary>The news of one lease for one call that waits for it. <see cref="LeaseWatch"/> writes them, and the call reads them.</summary>
sealed class LeaseWaiter(LeaseWatch watch, DocumentKey key, LeaseRegister register) : IDisposable
{
    // Only the last news count. An empty one says that the lease has to be read.
    readonly Channel<LeaseRecord?> _news = Channel.CreateBounded<LeaseRecord?>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    public DocumentKey Key => key;

    /// <summary>Waits for a change of the lease, but not longer than a time, and returns the record after it.</summary>
    public async Task<LeaseRecord?> WaitAsync(LeaseRecord? record, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, register.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var changed = await _news.Reader.ReadAsync(either.Token).ConfigureAwait(false);
            if (changed is not null && (changed.Hash == record?.Hash || changed.Renewal > (record?.Renewal ?? 0)))
                return changed;
            // An older number is from before the last read; or the sequence was founded anew, and has lost later records.
            return await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return record;
        }
        catch (ChannelClosedException e) when (e.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    public void Tell(LeaseRecord? record) => _news.Writer.TryWrite(record);

    public void Fail(Exception cause) => _news.Writer.TryComplete(cause);

    public void Dispose() => watch.Remove(this);
}
