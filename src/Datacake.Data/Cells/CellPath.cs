using System.ComponentModel;
using System.Text;
using Datacake.Crdt;

namespace Datacake.Data.CodeGeneration;

/// <summary>The location of a mapped property's cells in a document. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class CellPath
{
    /// <summary>Creates the location of a property, given its name or, if it is nested, a path such as <c>Address.City</c>.</summary>
    public CellPath(string name)
    {
        Name = name;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        Property = DocumentPath.OfProperty(name).Encoded.ToArray();
        ElementPrefix = DocumentPath.OfElement(name, []).Encoded.ToArray();
    }

    /// <summary>Gets the property name; for a nested property, a path such as <c>Address.City</c>.</summary>
    public string Name { get; }

    internal byte[] Utf8Name { get; }

    /// <summary>Gets the encoded path of the property's register.</summary>
    internal byte[] Property { get; }

    /// <summary>Gets the prefix that the encoded paths of the property's elements share.</summary>
    internal byte[] ElementPrefix { get; }
}
