using Datacake.EventualConsistency;

namespace Datacake.Hosting;

/// <summary>The term of a singleton on this node, which its constructor can ask for: <c>class Mailer(DatacakeSingletonTerm term) : BackgroundService</c>.</summary>
public sealed class DatacakeSingletonTerm
{
    internal DatacakeSingletonTerm()
    {
    }

    /// <summary>Gets the number of the term, which is greater than those of all earlier terms on any node. See <see cref="EventualConsistency.Lease.FencingToken"/>.</summary>
    /// <exception cref="InvalidOperationException">The scope does not belong to a singleton.</exception>
    public long FencingToken => Held.FencingToken;

    /// <summary>Gets the token that is canceled when the term ends. The stopping token of a background service is canceled then, too.</summary>
    /// <exception cref="InvalidOperationException">The scope does not belong to a singleton.</exception>
    public CancellationToken Lost => Held.Lost;

    /// <summary>Gets or sets the lease; null in scopes that do not belong to a singleton.</summary>
    internal Lease? Lease { get; set; }

    Lease Held => Lease ?? throw new InvalidOperationException(
        $"A {nameof(DatacakeSingletonTerm)} exists only for a service that AddDatacakeSingleton has registered. Ask for it in the constructor of such a service.");
}
