using Datacake.Data.ChangeTracking;
using Datacake.EventualConsistency;

namespace Datacake.Data.Saving;

/// <summary>A save whose outcome could not be learned in time.</summary>
/// <param name="Failure">The exception, which learns the outcome later.</param>
/// <param name="Writes">The writes, whose entities keep their states until then.</param>
sealed record UnresolvedSave(OutcomeUnknownException Failure, IReadOnlyList<PendingWrite> Writes);
