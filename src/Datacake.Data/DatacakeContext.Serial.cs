using Datacake.Crdt;
using Datacake.Data.ChangeTracking;
using Datacake.Data.Saving;
using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data;

// Serial saves, which go through the sequencer.
public abstract partial class DatacakeContext
{
    const int DefaultAttempts = 20;

    SerialWork? _work;
    UnresolvedSave? _unresolved;
    SerialWork? _unresolvedWork;                                    // the unit of work of that save

    /// <summary>
    /// Begins a serial unit of work. From now on, the context reads everything that was saved serially before this call, on any node, and remembers what it reads
    /// of serial classes: entities, keys under which there is none, and the ranges that queries search. The next save is only made if all of it is still the
    /// same. So the work is as if it had run alone.
    /// </summary>
    /// <remarks>
    /// Serial entities that the context tracks already count with the values that they were read or attached with, unless they are reloaded in the work.
    /// One save ends the work. If it conflicts, begin another one. Entities of other classes can be read and saved, but are not checked. <see cref="RunSerialAsync(Func{Task}, CancellationToken)"/>
    /// also repeats work that conflicts.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Another serial unit of work of the context was not disposed.</exception>
    /// <exception cref="NotEnoughNodesException">No majority of the voters can be reached.</exception>
    public async Task<SerialWork> BeginSerialAsync(CancellationToken cancellationToken = default)
    {
        using var operation = Concurrency.Enter();
        if (_work is not null)
            throw new InvalidOperationException("The context has a serial unit of work already. Save and dispose it before you begin another one.");
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
        _work = new SerialWork(this);
        // The caller may use these without asking the context again: instances that it holds, navigations, and Local.
        foreach (var entry in ChangeTracker.All)
        {
            if (entry.Keyspace.Entity.IsSerial && entry.Stored is { } stored)
                _work.Reads.AddTracked(entry.Keyspace.Name, entry.Key, ContentHash.Of(stored));
        }
        return _work;
    }

    /// <summary>
    /// Runs work as a serial unit and saves it. If something that it has read changes before it is saved, discards its changes and runs it again, up to 20 times.
    /// </summary>
    /// <remarks>
    /// Entities that the context tracked before stay tracked, so that they can be changed in the work and after it. They count with the values that they were read
    /// with; before the work is repeated, they are reloaded, and those that are no longer stored are detached. Entities that only an earlier run has read or
    /// added are no longer tracked. If the work throws, or cannot be saved, its changes are discarded in the same way, and the tracked entities have the values
    /// that they had before. Only if the outcome of the save is unknown, they stay pending, until <see cref="ResolveSaveAsync"/> or the next save.
    /// </remarks>
    /// <param name="work">The work, which reads and changes entities of the context. It may be run several times.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <exception cref="InvalidOperationException">The context has changes that are not saved, which a repetition would lose.</exception>
    /// <exception cref="EntityConflictException">The last attempt conflicted in entities that it writes. Nothing was written.</exception>
    /// <exception cref="ReadConflictException">The last attempt conflicted in something else that was read. Nothing was written.</exception>
    /// <exception cref="UniqueConstraintException">Another entity has the values of an entity in a unique index. Nothing was written.</exception>
    public Task RunSerialAsync(Func<Task> work, CancellationToken cancellationToken = default) => RunSerialAsync(work, DefaultAttempts, cancellationToken);

    /// <summary>Runs work as a serial unit and saves it; see <see cref="RunSerialAsync(Func{Task}, CancellationToken)"/>.</summary>
    /// <param name="work">The work, which reads and changes entities of the context. It may be run several times.</param>
    /// <param name="maxAttempts">The number of times that the work is run at most.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of attempts is less than 1.</exception>
    public async Task RunSerialAsync(Func<Task> work, int maxAttempts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        await RunSerialAsync(async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        }, maxAttempts, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs work as a serial unit, saves it, and returns its result; see <see cref="RunSerialAsync(Func{Task}, CancellationToken)"/>.
    /// </summary>
    public Task<TResult> RunSerialAsync<TResult>(Func<Task<TResult>> work, CancellationToken cancellationToken = default) =>
        RunSerialAsync(work, DefaultAttempts, cancellationToken);

    /// <summary>
    /// Runs work as a serial unit, saves it, and returns its result; see <see cref="RunSerialAsync(Func{Task}, CancellationToken)"/>.
    /// </summary>
    /// <param name="work">The work, which reads and changes entities of the context. It may be run several times.</param>
    /// <param name="maxAttempts">The number of times that the work is run at most.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of attempts is less than 1.</exception>
    public async Task<TResult> RunSerialAsync<TResult>(Func<Task<TResult>> work, int maxAttempts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxAttempts, 1);
        // Changes that were not detected would be discarded, too.
        ChangeTracker.DetectChanges();
        if (ChangeTracker.HasChanges())
        {
            throw new InvalidOperationException(
                "The context has changes that are not saved, and RunSerialAsync would lose them when it repeats the work. Save them first, or make them in the work.");
        }
        var before = new TrackerCheckpoint(ChangeTracker);
        for (int attempt = 1; ; attempt++)
        {
            var serial = await BeginSerialAsync(cancellationToken).ConfigureAwait(false);
            serial.Checkpoint = before;
            serial.Reads.Remedy = ConflictRemedy.OfRun(attempt, maxAttempts);
            bool isOver = false;
            try
            {
                // What was tracked before is out of date, or may be.
                if (attempt > 1)
                    await ReloadAsync(before, cancellationToken).ConfigureAwait(false);
                var result = await work().ConfigureAwait(false);
                if (!serial.IsSaved || ChangeTracker.HasChanges())
                    await SaveChangesAsync(Consistency.Serial, cancellationToken).ConfigureAwait(false);
                isOver = true;
                return result;
            }
            catch (Exception e) when (e is EntityConflictException or ReadConflictException && !serial.IsSaved && attempt < maxAttempts)
            {
                // Somebody else has saved, so there is progress. A pause of random length keeps two from running into each other again.
                Discard(serial);
                isOver = true;
                var pause = TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * Math.Min(1 << attempt, 200));
                await Task.Delay(pause, Node.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await serial.DisposeAsync().ConfigureAwait(false);
                if (!isOver)
                    Discard(serial);
            }
        }
    }

    /// <summary>
    /// Discards the changes of a work that has failed, unless they may have been saved. A work that has left an operation running keeps its changes: the next use of the context says
    /// what is wrong, and the exception of the work must not be lost.
    /// </summary>
    void Discard(SerialWork work)
    {
        if (_unresolved is not null || Concurrency.IsBusy)
            return;
        using var operation = Concurrency.Enter();
        work.Checkpoint!.Return();
    }

    async Task ReloadAsync(TrackerCheckpoint before, CancellationToken cancellationToken)
    {
        using var operation = Concurrency.Enter();
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        snapshot.Observer = Reads;
        await before.ReloadAsync(snapshot, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Learns the outcome of the last save if that failed with an <see cref="OutcomeUnknownException"/>. If it was made, its changes are accepted as by a save; if
    /// not, they stay pending. What was changed or removed meanwhile stays pending in either case. The next save does the same first.
    /// </summary>
    /// <remarks>
    /// If it was the save of a <see cref="RunSerialAsync(Func{Task}, CancellationToken)"/> and was not made, everything that has changed since the work began is discarded: what the work has read is
    /// out of date, and nothing would check it. The next save then throws an <see cref="InvalidOperationException"/> instead of saving, and does the same once for any other serial unit of work that is over.
    /// </remarks>
    /// <returns>The result of the save; null if it had no effect, and never will.</returns>
    /// <exception cref="InvalidOperationException">The outcome of no save is unknown.</exception>
    /// <exception cref="OutcomeUnknownException">The outcome cannot be learned yet.</exception>
    public async Task<SaveResult?> ResolveSaveAsync(CancellationToken cancellationToken = default)
    {
        using var operation = Concurrency.Enter();
        return _unresolved is null
            ? throw new InvalidOperationException("The outcome of no save is unknown. Call ResolveSaveAsync only after an OutcomeUnknownException.")
            : await ResolveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets what the current serial unit of work has read; null if there is none.</summary>
    internal SerialReads? Reads => _work is { IsSaved: false } work ? work.Reads : null;

    /// <summary>Throws if a serial unit of work is under way, of which an operation cannot be part.</summary>
    /// <param name="problem">The operation, and what it does.</param>
    /// <param name="effect">The effect of the operation so far.</param>
    internal void ThrowIfInWork(string problem, string effect)
    {
        if (Reads is not null)
            throw new InvalidOperationException($"{problem}, and cannot be part of a serial unit of work. {effect} Call it before or after the work, or on another context.");
    }

    void OnReloaded(KeyspaceModel keyspace, DocumentKey key) => Reads?.OnReloaded(keyspace.Name, key);

    internal void OnShown(EntityEntry entry) => OnShown(entry.Keyspace, entry.Key, entry.Stored);

    void OnShown(KeyspaceModel keyspace, DocumentKey key, DocumentContent? stored)
    {
        if (Reads is { } reads && keyspace.Entity.IsSerial && stored is not null)
            reads.Add(keyspace.Name, key, ContentHash.Of(stored));
    }

    internal void CheckWork(SerialWork work)
    {
        if (!ReferenceEquals(work, _work))
            throw new InvalidOperationException("The serial unit of work was disposed. Begin another one with BeginSerialAsync.");
    }

    internal void End(SerialWork work)
    {
        if (ReferenceEquals(work, _work))
            _work = null;
    }

    /// <summary>Notes that a work was saved. If it fails later, its later changes alone are discarded.</summary>
    void MarkSaved(SerialWork? work)
    {
        work?.IsSaved = true;
        if (work is { Checkpoint: not null })
            work.Checkpoint = new TrackerCheckpoint(ChangeTracker);
    }

    /// <summary>Learns the outcome of the last save before another one.</summary>
    /// <exception cref="InvalidOperationException">It was that of a serial unit of work, and was refused.</exception>
    async Task ResolveBeforeSaveAsync(CancellationToken cancellationToken)
    {
        var work = _unresolvedWork;
        if (await ResolveAsync(cancellationToken).ConfigureAwait(false) is not null || work is null || ReferenceEquals(work, _work))
            return;
        // Its changes rest on what it has read, which this save would not check.
        throw new InvalidOperationException(
            "The save of the last serial unit of work, whose outcome was not known, was refused, because something that it had read or written has changed. Nothing was saved, neither then nor now. "
                + (work.Checkpoint is null
                    ? "Its changes are still pending: reload its entities or clear the change tracker, and repeat the work in another one (BeginSerialAsync)."
                    : "Its changes were discarded, with those that were made since. Repeat the work (RunSerialAsync)."));
    }

    async Task<SaveResult?> ResolveAsync(CancellationToken cancellationToken)
    {
        var (failure, writes) = _unresolved!;
        // Navigations that have changed since the save was sent must not count as saved.
        if (ChangeTracker.AutoDetectChangesEnabled)
            ChangeTracker.FixRelations(isSaving: false);
        CommitResult result;
        try
        {
            result = await failure.ResolveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SerialConflictException or SerialOperationException)
        {
            _unresolved = null;
            ChangeTracker.AcceptRefusal(writes);
            if (_unresolvedWork?.Checkpoint is { } before)
                before.Return();
            return null;
        }
        catch (CommitCanceledException e)
        {
            _unresolved = null;
            AcceptLate(writes, e.Numbers);
            MarkSaved(_unresolvedWork);
            throw;
        }
        catch (OutcomeUnknownException e)
        {
            _unresolved = _unresolved! with { Failure = e };
            throw;
        }
        _unresolved = null;
        AcceptLate(writes, result.Numbers);
        MarkSaved(_unresolvedWork);
        return new SaveResult(writes.Count, result.Stamp, result.Acknowledged);
    }

    bool IsSerialSave(IReadOnlyList<PendingWrite> writes, Consistency consistency) =>
        consistency == Consistency.Serial || _work is not null || writes.Any(static write => write.Entry.Keyspace.Entity.IsSerial);
}
