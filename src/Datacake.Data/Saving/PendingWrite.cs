using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>What a save is about to write of an entity.</summary>
/// <param name="Entry">The entity.</param>
/// <param name="Content">All of it, which is its original once it is saved; null if it is deleted.</param>
/// <param name="Changes">What goes into the transaction; null if it is deleted, or if it has to be looked up first what is stored.</param>
readonly record struct PendingWrite(EntityEntry Entry, EntityContent? Content, EntityContent? Changes);
