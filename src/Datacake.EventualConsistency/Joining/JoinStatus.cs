namespace Datacake.EventualConsistency;

/// <summary>How far a fresh store is with joining its cluster: it copies a member's data first, and goes on with that after a break.</summary>
/// <param name="IsJoined">Whether the store has joined; also of one that had, when it was opened.</param>
/// <param name="Documents">How many documents have come so far. Less than before: the copy has begun anew.</param>
/// <param name="EstimatedDocuments">About how many there are, as the member says that the last ones came from; 0 before the first.</param>
/// <param name="Source">The node id of that member, or <see langword="null"/> before the first.</param>
public sealed record JoinStatus(bool IsJoined, long Documents, long EstimatedDocuments, int? Source);
