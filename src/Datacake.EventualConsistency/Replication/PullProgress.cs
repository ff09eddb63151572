using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A pull that is under way: what has come and is not applied yet [R9].</summary>
sealed class PullProgress(ulong pull, bool isFull = false)
{
    public ulong Pull { get; } = pull;

    /// <summary>True if all that the peer has was asked for, to be merged [R15].</summary>
    public bool IsFull { get; } = isFull;

    public ulong Stream { get; set; }

    public int NextNumber { get; set; }

    /// <summary>Ticks since the last part came.</summary>
    public int IdleTicks { get; set; }

    public List<TransactionNames> Records { get; } = [];

    public List<NamedDocument> Documents { get; } = [];

    /// <summary>Whether a part is the one that comes next; then it counts as come.</summary>
    public bool Expects(ulong pull, ulong stream, int number)
    {
        if (pull != Pull || (Stream != 0 && stream != Stream) || number != NextNumber)
            return false;
        Stream = stream;
        NextNumber++;
        IdleTicks = 0;
        return true;
    }
}
