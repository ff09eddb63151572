namespace Datacake.Node.Tests;

/// <summary>Gossip on one machine, whose processors others may have for a while.</summary>
static class PatientGossip
{
    /// <summary>Nobody is held for down, and no exchange for failed, in the time that a test takes.</summary>
    public static GossipOptions UsePatient(this GossipOptions gossip)
    {
        gossip.UseLocal();
        gossip.MinSilence = Eventually.Deadline;
        gossip.ExchangeTimeout = Eventually.Deadline;
        return gossip;
    }
}
