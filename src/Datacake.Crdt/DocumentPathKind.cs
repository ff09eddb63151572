namespace Datacake.Crdt;

/// <summary>The kind of a path in a document.</summary>
public enum DocumentPathKind
{
    /// <summary>The whole value of a raw document.</summary>
    Root = 0,

    /// <summary>A property whose value is replaced as a whole. The later of two concurrent writes wins.</summary>
    Property = 1,

    /// <summary>An element of a set or an entry of a dictionary. Concurrent writes to different elements are all kept.</summary>
    Element = 2,

    /// <summary>One writer's share of a counter. The value of the counter is the sum of the shares.</summary>
    CounterShare = 3,

    /// <summary>
    /// The note of an assertion, which is a put that repeats a document under a new stamp. The note records the writes that the author of
    /// the assertion knew, so that the authors of other writes can repeat them. Readers never see it.
    /// </summary>
    Assertion = 4,
}
