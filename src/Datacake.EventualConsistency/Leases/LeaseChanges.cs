namespace Datacake.EventualConsistency.Leases;

/// <summary>The changes of one lease that this store sees while somebody waits for it. Not thread-safe.</summary>
sealed class LeaseChanges : IAsyncDisposable
{
    readonly LeaseRegister _register;
    readonly DocumentKey _key;
    readonly CancellationTokenSource _ending;
    IAsyncEnumerator<DocumentChanges>? _changes;
    Task<bool>? _next;

    public LeaseChanges(LeaseRegister register, DocumentKey key, CancellationToken cancellationToken)
    {
        (_register, _key) = (register, key);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public bool IsWatching => _changes is not null;

    /// <summary>Begins to watch. Changes after the call has ended are seen.</summary>
    public async Task BeginAsync()
    {
        _changes = _register.Watch(_ending.Token).GetAsyncEnumerator(_ending.Token);
        await _changes.MoveNextAsync().ConfigureAwait(false);
        _next = _changes.MoveNextAsync().AsTask();
    }

    /// <summary>Waits for a change, but not longer than a time, and returns the record after it.</summary>
    public async Task<LeaseRecord?> WaitAsync(LeaseRecord? record, TimeSpan limit)
    {
        using (var delaying = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token))
        {
            var delay = Task.Delay(limit, _register.Time, delaying.Token);
            var first = await Task.WhenAny(_next!, delay).ConfigureAwait(false);
            await delaying.CancelAsync().ConfigureAwait(false);
            if (first == delay)
            {
                await delay.ConfigureAwait(false);
                return record;
            }
        }
        await _next!.ConfigureAwait(false);
        var changes = _changes!.Current;
        if (changes.HasGap)
            record = await _register.ReadAsync(_key, _ending.Token).ConfigureAwait(false);
        foreach (var change in changes.Changes)
        {
            // A change that was made before the last read is old news.
            if (change.Key.Equals(_key) && LeaseRecord.Of(change.After) is { } changed && changed.Renewal > (record?.Renewal ?? 0))
                record = changed;
        }
        _next = _changes.MoveNextAsync().AsTask();
        return record;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        if (_next is not null)
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_changes is not null)
            await _changes.DisposeAsync().ConfigureAwait(false);
        _ending.Dispose();
    }
}
