namespace Datacake.Node.Tests;

/// <summary>Gossip settings for a machine that is busy with other work for a while.</summary>
static class PatientGossip
{
    /// <summary>Sets times so long that no node is declared down and no exchange fails while a test runs.</summary>
    public static GossipOptions UsePatient(this GossipOptions gossip)
    {
        gossip.UseLocal();
        gossip.MinSilence = Eventually.Deadline;
        gossip.ExchangeTimeout = Eventually.Deadline;
        return gossip;
    }
}
