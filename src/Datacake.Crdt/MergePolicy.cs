namespace Datacake.Crdt;

/// <summary>What becomes of a document that one node deletes and another updates at the same time.</summary>
public enum MergePolicy
{
    /// <summary>The later of the two wins: an update after a delete revives the whole document.</summary>
    LastWriterWins = 0,

    /// <summary>The delete wins over updates; only a later put brings the document back.</summary>
    DeleteWins = 1,
}
