namespace Datacake.Crdt;

/// <summary>The rule for a document that one node deletes while another node updates it.</summary>
public enum MergePolicy
{
    /// <summary>The policy under which the later operation wins. An update after a delete revives the whole document.</summary>
    LastWriterWins = 0,

    /// <summary>The policy under which a delete wins over updates. Only a later put brings the document back.</summary>
    DeleteWins = 1,

    /// <summary>
    /// The policy of documents that only serial transactions write, always as a whole. Of two puts or deletes, the later one wins.
    /// </summary>
    Serial = 2,
}
