using Datacake.Crdt;
using Datacake.Data.Cells;

namespace Datacake.Data.ChangeTracking;

/// <summary>The write of one entity by a save that has not been committed yet.</summary>
/// <param name="Entry">The entity.</param>
/// <param name="Content">The whole content of the entity, which becomes its original once it is saved; null if it is deleted.</param>
/// <param name="Changes">
/// The content that goes into the transaction; null if the entity is deleted, or if the stored content has to be read first.
/// </param>
readonly record struct PendingWrite(EntityEntry Entry, EntityContent? Content, EntityContent? Changes)
{
    /// <summary>Gets the whole document that a serial save writes; null if the entity is deleted or merges.</summary>
    public DocumentContent? Document { get; init; }

    /// <summary>Gets the properties that get a number of the sequencer; null if there are none.</summary>
    public IReadOnlyList<NumberedProperty>? Numbered { get; init; }
}
