namespace Datacake.Data;

/// <summary>The way in which a property is mapped to a document.</summary>
public enum PropertyKind
{
    /// <summary>A part of the key.</summary>
    Key,

    /// <summary>A single value. The later of two concurrent writes wins.</summary>
    Value,

    /// <summary>An owned object, whose properties are mapped one by one.</summary>
    Owned,

    /// <summary>A counter. Concurrent additions add up.</summary>
    Counter,

    /// <summary>A set. Its elements merge one by one.</summary>
    Set,

    /// <summary>A dictionary. Its entries merge one by one.</summary>
    Dictionary,
}
