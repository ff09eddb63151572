namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The outcomes of a request to a sequencer.</summary>
enum SerialOutcome : byte
{
    /// <summary>The transaction is decided and applied, or the barrier holds.</summary>
    Done,

    /// <summary>The transaction was refused, such as because a condition did not hold. It took no effect, and never will.</summary>
    Conflict,

    /// <summary>The asked node is not the sequencer, or does not take requests yet.</summary>
    NotSequencer,

    /// <summary>The sequencer has too much waiting. It took nothing.</summary>
    Busy,

    /// <summary>The sequencer was deposed. The transaction may take effect, and is to be sent again.</summary>
    Unknown,
}
