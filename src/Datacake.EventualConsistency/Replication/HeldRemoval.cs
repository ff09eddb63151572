namespace Datacake.EventualConsistency;

/// <summary>
/// A full reconcile that is held back, since it would remove more documents than <see cref="ReplicatedStoreOptions.MaxRemovedByReconcile"/>.
/// </summary>
/// <param name="NodeId">The member with whose data it would be made.</param>
/// <param name="Documents">The number of documents that are shown here and that it would remove.</param>
public sealed record HeldRemoval(byte NodeId, int Documents);
