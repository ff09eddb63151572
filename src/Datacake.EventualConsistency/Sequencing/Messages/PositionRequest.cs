using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The question how far a member is in the sequence, by a store that may have to found it anew [S9].</summary>
sealed record PositionRequest : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
    }
}
