namespace Datacake.EventualConsistency;

/// <summary>The kinds of operations on a document.</summary>
public enum DocumentOperationKind
{
    /// <summary>Replaces the whole document, or creates it.</summary>
    Put,

    /// <summary>Changes some cells of a document that the local store shows.</summary>
    Update,

    /// <summary>Deletes the document.</summary>
    Delete,
}
