using System.Text.Json;
using System.Text.Json.Serialization;

namespace Datacake.Tool.Transfers;

/// <summary>The progress of an import, in a file beside the imported one, from which the import can resume.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="FileLength">The length of the imported file, which must be the same when the import resumes.</param>
/// <param name="Position">The position up to which everything is stored.</param>
/// <param name="Line">The number of lines up to the position.</param>
/// <param name="Store">The name of the store; null for the node's own store.</param>
sealed record ImportProgress(string Keyspace, long FileLength, long Position, long Line, string? Store)
{
    /// <summary>Returns the path of the file with the progress.</summary>
    public static string PathOf(string file) => file + ".progress";

    /// <summary>Reads the progress of a file, or null if there is none that fits.</summary>
    public static ImportProgress? Read(string file, string keyspace, string? store)
    {
        if (!File.Exists(PathOf(file)))
            return null;
        var progress = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(file)), ImportProgressJson.Default.ImportProgress);
        return progress is not null && progress.Keyspace == keyspace && progress.Store == store && progress.FileLength == new FileInfo(file).Length ? progress : null;
    }

    public void Write(string file)
    {
        string path = PathOf(file);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, ImportProgressJson.Default.ImportProgress));
        File.Move(path + ".new", path, overwrite: true);
    }

    public static void Delete(string file) => File.Delete(PathOf(file));
}

/// <summary>The JSON of the progress.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ImportProgress))]
sealed partial class ImportProgressJson : JsonSerializerContext;
