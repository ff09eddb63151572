using System.Text;
using Datacake.Crdt;

namespace Datacake.Data.Metadata;

/// <summary>Where the cells of one mapped property are. For generated code.</summary>
public sealed class CellPath
{
    /// <summary>A property by its name; nested ones are joined by dots.</summary>
    public CellPath(string name)
    {
        Name = name;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        Property = DocumentPath.OfProperty(name).Encoded.ToArray();
        ElementPrefix = DocumentPath.OfElement(name, []).Encoded.ToArray();
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    internal byte[] Utf8Name { get; }

    /// <summary>The path of the property's register.</summary>
    internal byte[] Property { get; }

    /// <summary>What the paths of the property's elements start with.</summary>
    internal byte[] ElementPrefix { get; }
}
