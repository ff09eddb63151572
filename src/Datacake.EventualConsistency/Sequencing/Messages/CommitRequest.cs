using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>A transaction for the sequencer to put into the sequence.</summary>
/// <param name="Attempt">The number under which the sender waits for the reply.</param>
/// <param name="Id">The identity of the transaction, the same in each attempt [S8].</param>
/// <param name="Proposal">The transaction.</param>
sealed record CommitRequest(ulong Attempt, TransactionId Id, SerialProposal Proposal) : SequencingMessage
{
    protected override bool IsSmall => false;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Attempt);
        Id.Write(ref writer);
        Proposal.Write(ref writer);
    }

    public static CommitRequest Read(ref MessagePackReader reader) => new(reader.ReadUInt64(), TransactionId.Read(ref reader), SerialProposal.Read(ref reader));
}
