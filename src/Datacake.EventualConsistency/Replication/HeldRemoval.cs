namespace Datacake.EventualConsistency;

/// <summary>
/// A full reconcile that is held back, because it would remove more documents than
/// <see cref="ReplicatedStoreOptions.MaxRemovedByReconcile"/>.
/// </summary>
/// <param name="NodeId">The node id of the member whose data the reconcile would take over.</param>
/// <param name="Documents">The number of documents that this node shows and the reconcile would remove.</param>
public sealed record HeldRemoval(byte NodeId, int Documents);
