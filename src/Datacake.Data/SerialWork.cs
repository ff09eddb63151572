namespace Datacake.Data;

/// <summary>
/// A unit of work that is serial: everything of serial classes that the context reads, found or not, is a condition of the save that ends it. Begun by
/// <see cref="DatacakeContext.BeginSerialAsync"/>; disposing of it forgets what was read. Not thread-safe, like the context.
/// </summary>
public sealed class SerialWork : IAsyncDisposable
{
    readonly DatacakeContext _context;

    internal SerialWork(DatacakeContext context)
    {
        _context = context;
        Reads = new Serial.SerialReads { Keyspaces = context.Keyspaces, Remedy = Saving.ConflictRemedy.OfWork };
    }

    /// <summary>True if the work was saved.</summary>
    public bool IsSaved { get; internal set; }

    internal Serial.SerialReads Reads { get; }

    /// <summary>Gets or sets what the context returns to if the work fails; null if the caller decides what becomes of its changes.</summary>
    internal ChangeTracking.TrackerCheckpoint? Checkpoint { get; set; }

    /// <summary>
    /// Saves the changes of the context, if everything that was read since the work began is still as it was. Does the same as
    /// <see cref="DatacakeContext.SaveChangesAsync(CancellationToken)"/>. After a conflict, the work can no longer be saved; begin another one.
    /// </summary>
    /// <exception cref="InvalidOperationException">The work was saved already, or disposed, or its queries have read more than can be checked.</exception>
    /// <exception cref="EntityConflictException">Entities that the save writes have changed. Nothing was written.</exception>
    /// <exception cref="ReadConflictException">Something else that was read has changed. Nothing was written.</exception>
    /// <exception cref="UniqueConstraintException">Another entity has the values of an entity in a unique index. Nothing was written.</exception>
    public Task<SaveResult> SaveChangesAsync(CancellationToken cancellationToken = default)
    {
        _context.CheckWork(this);
        return _context.SaveChangesAsync(EventualConsistency.Consistency.Serial, cancellationToken);
    }

    /// <summary>
    /// Ends the work. Changes that were not saved stay pending in the context: the next save writes them, without a check of what the work has read.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        _context.End(this);
        return default;
    }
}
