namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The roles of a store in the election of the sequencer [S2].</summary>
enum SequencerRole
{
    /// <summary>The store follows a sequencer, or waits for one.</summary>
    Follower,

    /// <summary>The store asks whether it would be voted for. That changes nothing anywhere.</summary>
    Asking,

    /// <summary>The store has begun an epoch and asks for votes.</summary>
    Candidate,

    /// <summary>The store is the sequencer of its epoch.</summary>
    Sequencer,
}
