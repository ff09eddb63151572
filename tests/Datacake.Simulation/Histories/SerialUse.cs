using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Simulation.Histories;

/// <summary>A serial transaction or read of a user: a barrier, then a read of the own store, then perhaps a commit.</summary>
sealed class SerialUse(int[] slots, bool isRead, long start)
{
    /// <summary>Gets the documents that are read, and perhaps written.</summary>
    public int[] Slots { get; } = slots;

    public bool IsRead { get; } = isRead;

    /// <summary>Gets the moment at which it began.</summary>
    public long Start { get; } = start;

    /// <summary>Gets or sets the request that is waited for.</summary>
    public SerialRequest? Request { get; set; }

    /// <summary>Gets or sets the callback for the outcome of the request.</summary>
    public Action<SerialRequest>? OnEnded { get; set; }

    /// <summary>Gets or sets the token of the barrier; null before there is one.</summary>
    public VersionVector? Token { get; set; }

    /// <summary>Gets or sets how often the user has found that the store does not have what the token names.</summary>
    public int Waits { get; set; }

    /// <summary>Gets or sets the transaction; null before it is sent.</summary>
    public SerialTransaction? Transaction { get; set; }
}
