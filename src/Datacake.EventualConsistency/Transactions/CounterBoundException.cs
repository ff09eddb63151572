using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when a counter would pass its minimum or maximum, or when this node has too few rights to change it. Nothing
/// was written.
/// </summary>
public sealed class CounterBoundException : Exception
{
    internal CounterBoundException(
        DocumentOperation operation, string property, long amount, long bound, bool isUp, Int128 here, Int128 withheld, Int128 elsewhere)
        : base(MessageOf(operation, property, amount, bound, isUp, here, withheld, elsewhere))
    {
        Keyspace = operation.Keyspace;
        Key = operation.Key;
        Property = property;
        Amount = amount;
        Bound = bound;
        IsUp = isUp;
        AvailableHere = EscrowRules.Saturate(here);
        AvailableElsewhere = EscrowRules.Saturate(elsewhere);
        Withheld = EscrowRules.Saturate(withheld);
    }

    /// <summary>Gets the keyspace of the document.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the key of the document.</summary>
    public DocumentKey Key { get; }

    /// <summary>Gets the name of the counter.</summary>
    public string Property { get; }

    /// <summary>Gets the amount that was to be added; negative for a decrease.</summary>
    public long Amount { get; }

    /// <summary>Gets the minimum or the maximum that the counter would have passed.</summary>
    public long Bound { get; }

    /// <summary>Gets the amount by which this node may change the counter in the same direction.</summary>
    public long AvailableHere { get; }

    /// <summary>Gets the amount by which other nodes may change the counter in the same direction, as far as this node knows.</summary>
    public long AvailableElsewhere { get; }

    /// <summary>
    /// Gets the amount by which this node may change the counter once it has heard from all members: the rights of this store from before its
    /// last start.
    /// </summary>
    public long Withheld { get; }

    /// <summary>True if the counter would have passed its maximum, false if its minimum.</summary>
    internal bool IsUp { get; }

    /// <summary>True if a request for rights is under way, or if the withheld rights suffice and all members can be heard.</summary>
    internal bool MayRetry { get; set; }

    static string MessageOf(
        DocumentOperation operation, string property, long amount, long bound, bool isUp, Int128 here, Int128 withheld, Int128 elsewhere)
    {
        string which = isUp ? "maximum" : "minimum";
        string counter = $"The counter '{property}' of the document {operation.Key} of the keyspace '{operation.Keyspace}'";
        if (operation.Kind == DocumentOperationKind.Put)
            return $"{counter} cannot begin with {amount}, because its {which} is {bound}. Nothing was written. Begin with a value within its bounds.";
        string message = $"{counter} cannot be changed by {amount}, because its {which} is {bound}: this node may change it by {here} in this direction, and other nodes by {elsewhere}, "
            + "as far as is known here.";
        if (withheld > 0)
            message += $" This node has rights to another {withheld} from before its last start, which it may use once it has heard from all members.";
        return message + (here + withheld + elsewhere >= Int128.Abs(amount)
            ? " Nothing was written. Change it by less, or retry when this node can reach the nodes that have the rights."
            : " Nothing was written. Change it by less.");
    }
}
