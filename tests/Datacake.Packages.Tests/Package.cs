using System.IO.Compression;
using System.Xml.Linq;

namespace Datacake.Packages.Tests;

/// <summary>A package and its symbols, opened for reading.</summary>
public sealed class Package : IDisposable
{
    readonly ZipArchive _package;
    readonly ZipArchive? _symbols;

    /// <param name="path">The path of the two files, without their extensions.</param>
    public Package(string path)
    {
        _package = ZipFile.OpenRead(path + ".nupkg");
        _symbols = File.Exists(path + ".snupkg") ? ZipFile.OpenRead(path + ".snupkg") : null;
        using var nuspec = _package.Entries.Single(static entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        Metadata = XDocument.Load(nuspec).Root!.Elements().Single(static element => element.Name.LocalName == "metadata");
    }

    /// <summary>Gets the description of the package.</summary>
    public XElement Metadata { get; }

    /// <summary>Gets the dependencies of the package.</summary>
    public IEnumerable<XElement> Dependencies => Metadata.Descendants(Metadata.Name.Namespace + "dependency");

    /// <summary>Gets a property of the description, or null.</summary>
    public XElement? this[string name] => Metadata.Element(Metadata.Name.Namespace + name);

    /// <summary>Gets the address of the repository, without a suffix.</summary>
    public string RepositoryUrl
    {
        get
        {
            string url = (string)this["repository"]!.Attribute("url")!;
            return url.EndsWith(".git", StringComparison.Ordinal) ? url[..^4] : url;
        }
    }

    /// <summary>Gets whether the package is a tool, which brings its references along.</summary>
    public bool IsTool => Metadata.Descendants(Metadata.Name.Namespace + "packageType").Any(static type => (string?)type.Attribute("name") == "DotnetTool");

    /// <summary>Gets the folder of the assemblies.</summary>
    public string AssemblyFolder => IsTool ? "tools/net10.0/any" : "lib/net10.0";

    /// <summary>Reads a file of the package, or returns null.</summary>
    public byte[]? Read(string path) => Read(_package, path);

    /// <summary>Reads a file of the package of symbols, or returns null.</summary>
    public byte[]? ReadSymbols(string path) => _symbols is null ? null : Read(_symbols, path);

    public void Dispose()
    {
        _package.Dispose();
        _symbols?.Dispose();
    }

    static byte[]? Read(ZipArchive archive, string path)
    {
        if (archive.GetEntry(path) is not { } entry)
            return null;
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
