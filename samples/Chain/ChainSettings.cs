namespace Datacake.Chain;

/// <summary>The addresses of all processes, and the places of their data: the section "Chain" of the configuration.</summary>
sealed class ChainSettings
{
    public required Place Office { get; init; }

    /// <summary>Gets the shops, of which the first is shop 1.</summary>
    public required Place[] Shops { get; init; }

    public required Place Display { get; init; }

    /// <summary>Gets the connection string of the PostgreSQL database with the tables of the reports.</summary>
    public required string Reports { get; init; }

    /// <summary>Gets the folder of the files of all processes.</summary>
    public string Folder { get; init; } = Path.Combine(Path.GetTempPath(), "datacake-chain");

    /// <summary>Returns the path of a file, whose folder is created.</summary>
    public string PathOf(string owner, string file) => Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, owner)).FullName, file);
}
