using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

/// <summary>
/// The pages of a long scan. While the caller processes one, another thread can read the next. Not thread-safe.
/// </summary>
/// <param name="read">Reads a page of a number of entries from the start of a range, and returns the position of the last one.</param>
sealed class PagesAhead<TPage>(Func<KeyRange, int, TPage, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> read) : IAsyncDisposable
    where TPage : class, IDisposable, new()
{
    TPage? _next;
    Reading? _ahead;     // the reading of the next page; null if none was begun

    /// <summary>Gets the page that was read last. Its content is valid until the next one is read.</summary>
    public TPage Page { get; private set; } = new();

    /// <summary>Reads the page of a range, or takes the one that was read ahead, which is of the same range.</summary>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(KeyRange range, int length, CancellationToken cancellationToken)
    {
        var ahead = _ahead;
        _ahead = null;
        return ahead is null || ahead.TryClaim() ? read(range, length, Page, cancellationToken) : TakeAsync(ahead.Page);
    }

    /// <summary>Begins to read the page that the next call of <see cref="ReadAsync"/> asks for, if there is a processor for it.</summary>
    public void ReadAhead(KeyRange range, int length, CancellationToken cancellationToken)
    {
        if (Environment.ProcessorCount > 1)
            _ahead = new Reading(() => read(range, length, _next ??= new TPage(), cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The memory of the page and the snapshot are in use until it is read. Nobody needs it any longer, nor the error that it may have met.
        if (_ahead is { } ahead && !ahead.TryClaim())
            await ((Task)ahead.Page).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Page.Dispose();
        _next?.Dispose();
    }

    async ValueTask<ReadOnlyMemory<byte>> TakeAsync(Task<ReadOnlyMemory<byte>> ahead)
    {
        var last = await ahead.ConfigureAwait(false);
        (Page, _next) = (_next!, Page);
        return last;
    }

    /// <summary>The reading of a page by a thread of the pool. If all of these are busy, the caller claims it, and reads the page itself.</summary>
    sealed class Reading
    {
        int _isClaimed;

        public Reading(Func<ValueTask<ReadOnlyMemory<byte>>> read) => Page = Task.Run(() => TryClaim() ? read().AsTask() : Task.FromResult<ReadOnlyMemory<byte>>(default));

        public Task<ReadOnlyMemory<byte>> Page { get; }

        /// <summary>Returns true to the one who reads the page.</summary>
        public bool TryClaim() => Interlocked.Exchange(ref _isClaimed, 1) == 0;
    }
}
