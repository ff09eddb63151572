using System.ComponentModel;
using Datacake.Data.Values;

namespace Datacake.Data.CodeGeneration;

/// <summary>A property of an object that is stored as one value. For generated code.</summary>
/// <param name="name">The name of the property.</param>
/// <param name="codec">The codec of its values.</param>
/// <param name="get">Returns the value of the property of an object.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ObjectMember(string name, ValueCodec codec, Func<object, object?> get)
{
    /// <summary>Gets the name of the property.</summary>
    public string Name { get; } = name;

    internal ValueShape Shape => codec.Shape;

    internal object? GetValue(object owner) => get(owner);
}
