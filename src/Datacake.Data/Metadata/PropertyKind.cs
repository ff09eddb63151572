namespace Datacake.Data.Metadata;

/// <summary>How a property is mapped onto a document.</summary>
public enum PropertyKind
{
    /// <summary>A part of the key.</summary>
    Key,

    /// <summary>One value: the later of two concurrent writes wins.</summary>
    Value,

    /// <summary>An owned object, whose properties are mapped one by one.</summary>
    Owned,

    /// <summary>A counter: concurrent additions add up.</summary>
    Counter,

    /// <summary>A set: its elements merge one by one.</summary>
    Set,

    /// <summary>A dictionary: its entries merge one by one.</summary>
    Dictionary,
}
