namespace Datacake.EventualConsistency.Joining;

/// <summary>The reason why a store has not joined its cluster.</summary>
/// <param name="Reason">The reason, as a clause without a full stop.</param>
/// <param name="Remedy">What to do about it, as one or more sentences.</param>
sealed record JoinObstacle(string Reason, string Remedy)
{
    /// <summary>Returns the reason and the remedy, for errors and logs.</summary>
    public override string ToString() => $"{Reason}. {Remedy}";
}
