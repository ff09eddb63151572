namespace Datacake.Crdt;

/// <summary>What a path in a document leads to.</summary>
public enum DocumentPathKind
{
    /// <summary>The whole value of a raw document.</summary>
    Root = 0,

    /// <summary>A property whose value is replaced as a whole: of concurrent writes the later one wins.</summary>
    Property = 1,

    /// <summary>An element of a set or an entry of a dictionary: different ones merge.</summary>
    Element = 2,

    /// <summary>One writer's share of a counter: the shares add up.</summary>
    CounterShare = 3,

    /// <summary>
    /// The note that a put asserts an older document again, with what its author knew; never shown. Authors of writes that it did not know write again.
    /// </summary>
    Assertion = 4,
}
