namespace Datacake.EventualConsistency;

/// <summary>The kinds of operations on a document.</summary>
public enum DocumentOperationKind
{
    /// <summary>The replacement of the whole document, or its creation.</summary>
    Put,

    /// <summary>The change of some cells of a document that the local store shows.</summary>
    Update,

    /// <summary>The deletion of the document.</summary>
    Delete,
}
