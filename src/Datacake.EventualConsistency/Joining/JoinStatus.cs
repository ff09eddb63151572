namespace Datacake.EventualConsistency;

/// <summary>
/// The progress of a fresh store in joining its cluster. The store first copies a member's data, and resumes the copy after an
/// interruption.
/// </summary>
/// <param name="IsJoined">True if the store has joined, in this process or before it was opened.</param>
/// <param name="Documents">The number of documents received so far. If it drops, the copy has started over.</param>
/// <param name="EstimatedDocuments">
/// The approximate number of documents in total, as estimated by the member that sent the latest ones; 0 before the first.
/// </param>
/// <param name="Source">The node id of that member, or <see langword="null"/> before the first document.</param>
public sealed record JoinStatus(bool IsJoined, long Documents, long EstimatedDocuments, int? Source);
