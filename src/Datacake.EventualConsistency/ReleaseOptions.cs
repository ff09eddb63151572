using System.Security.Cryptography;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The options with which a store is released: when it may leave, and how long that may take.</summary>
public sealed class ReleaseOptions
{
    /// <summary>
    /// Gets the members that must have everything before the store leaves, which is not counted itself: <see cref="Consistency.One"/>, <see cref="Consistency.Two"/>,
    /// <see cref="Consistency.Three"/>, <see cref="Consistency.Quorum"/> for a majority of the others, or <see cref="Consistency.All"/>. Default: <see cref="Consistency.Quorum"/>.
    /// </summary>
    public Consistency Level { get; init; } = Consistency.Quorum;

    /// <summary>
    /// Gets the time after which the store gives up and remains a member, up to 1 day. While it waits for the others to have the last of its data, it refuses writes. Default: 1 minute.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Gets the private key of an operator, which is needed if the nodes have operator keys (<see cref="DatacakeNodeOptions.WithOperatorKeys"/>); otherwise null. It is not sent.
    /// </summary>
    public ECDsa? OperatorKey { get; init; }

    /// <summary>Returns the number of other members that must have everything.</summary>
    internal int RequiredOf(int others) => Level switch
    {
        Consistency.One or Consistency.Two or Consistency.Three => Level - Consistency.None,
        Consistency.All => others,
        _ => (others / 2) + 1,
    };

    internal void Validate()
    {
        if (Level is not (Consistency.One or Consistency.Two or Consistency.Three or Consistency.Quorum or Consistency.All))
            throw new ArgumentException($"{nameof(ReleaseOptions)}.{nameof(Level)} is {Level}. A store is released at One, Two, Three, Quorum or All, which count the other members.");
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(1))
            throw new ArgumentException($"{nameof(ReleaseOptions)}.{nameof(Timeout)} is {Timeout}. It must be positive, and at most 1 day.");
    }
}
