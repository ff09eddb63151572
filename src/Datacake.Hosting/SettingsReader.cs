using System.Globalization;
using Datacake.Storage;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>
/// A reader of the settings in a configuration section. It reports every setting that is unknown, malformed or refused, by its path.
/// </summary>
/// <param name="section">The section.</param>
/// <param name="owner">The owner of the settings, for errors: <c>a node</c>.</param>
/// <param name="report">Receives the key of a setting in this section, and the error.</param>
/// <param name="refused">The settings that were reported before, and are ignored.</param>
sealed class SettingsReader(IConfigurationSection section, string owner, Action<string, string> report, HashSet<string> refused) : IStorageSettings
{
    readonly List<string> _known = [];
    bool _ignoresUnknown;

    /// <summary>
    /// Reads a section in which settings depend on each other: calls <paramref name="read"/> until it accepts the settings that are left,
    /// without those that it refused by an <see cref="ArgumentException"/> that names the setting as its parameter.
    /// </summary>
    public static void ReadAll(IConfigurationSection section, string owner, Action<string, string> report, Action<SettingsReader> read)
    {
        var refused = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (!string.IsNullOrEmpty(section.Value))
        {
            report("", $"'{section.Path}' is a single value. It must be a section of settings.");
            return;
        }
        while (true)
        {
            var reader = new SettingsReader(section, owner, report, refused);
            try
            {
                read(reader);
                reader.ReportUnknown();
                return;
            }
            catch (ArgumentException error) when (error.ParamName is { } name && reader.Find(name) is { } setting && refused.Add(name))
            {
                report(name, Invalid(setting, error));
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException)
            {
                report("", Invalid(section, error));
                reader.ReportUnknown();
                return;
            }
        }
    }

    public void ReadText(string name, Action<string> set, bool isRequired = false)
    {
        if (isRequired)
            Require(name);
        Read(name, TextOf, set);
    }

    public void ReadInteger(string name, Action<int> set) => Read(
        name,
        setting => int.TryParse(TextOf(setting), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw Malformed(setting, $"a whole number from 0 to {int.MaxValue}"),
        set);

    public void ReadLong(string name, Action<long> set) => Read(
        name,
        setting => long.TryParse(TextOf(setting), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Malformed(setting, $"a whole number from 0 to {long.MaxValue}"),
        set);

    public void ReadNumber(string name, Action<double> set) => Read(
        name,
        setting => double.TryParse(TextOf(setting), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw Malformed(setting, "a number, such as 8.5"),
        set);

    public void ReadBoolean(string name, Action<bool> set) =>
        Read(name, setting => bool.TryParse(TextOf(setting), out bool value) ? value : throw Malformed(setting, "true or false"), set);

    /// <summary>Reads a time span. A number alone is refused, because it would stand for days.</summary>
    public void ReadTime(string name, Action<TimeSpan> set) => Read(
        name,
        setting => TextOf(setting).Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(setting.Value, CultureInfo.InvariantCulture, out var time)
            ? time
            : throw Malformed(setting, "a time as hours, minutes and seconds, such as 00:00:30"),
        set);

    /// <summary>Reads a list of times of the day.</summary>
    public void ReadTimesOfDay(string name, Action<TimeOnly[]> set) => Read(
        name,
        setting => ListOf(setting, entry => TimeOnly.TryParseExact(TextOf(entry), ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : throw Malformed(entry, "a time of the day, such as 02:30")),
        set);

    public void ReadDate(string name, Action<DateTimeOffset> set) => Read(
        name,
        setting => DateTimeOffset.TryParse(TextOf(setting), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : throw Malformed(setting, "a date and time, such as 2030-01-31T12:00:00Z"),
        set);

    public void ReadName<T>(string name, Action<T> set)
        where T : struct, Enum
    {
        string[] names = Enum.GetNames<T>();
        Read(
            name,
            setting => names.Contains(TextOf(setting), StringComparer.OrdinalIgnoreCase)
                ? Enum.Parse<T>(TextOf(setting), ignoreCase: true)
                : throw Malformed(setting, $"one of {string.Join(", ", names)}"),
            set);
    }

    public void ReadTexts(string name, Action<string[]> set) => Read(name, setting => ListOf(setting, TextOf), set);

    /// <summary>Reads the path of a file that must exist.</summary>
    public void ReadFile(string name, Action<string> set) => Read(
        name,
        setting => File.Exists(TextOf(setting)) ? TextOf(setting) : throw Malformed(setting, "the path of a file that exists and can be read"),
        set);

    /// <summary>Reads the text in a file, without the white space around it.</summary>
    public void ReadFileText(string name, Action<string> set) => Read(name, FileTextOf, set);

    /// <summary>Reads the texts in files, without the white space around them.</summary>
    public void ReadFileTexts(string name, Action<string[]> set) => Read(name, setting => ListOf(setting, FileTextOf), set);

    /// <summary>Reads names and values, each on its own.</summary>
    public void ReadPairs(string name, Action<string, string> set) => Read(
        name,
        setting => setting,
        setting => ReadAll(setting, name, (_, error) => report(name, error), pairs =>
        {
            foreach (var pair in setting.GetChildren())
                pairs.ReadText(pair.Key, value => set(pair.Key, value));
        }));

    /// <summary>Reads a section as <see cref="ReadAll"/> does.</summary>
    public void ReadSection(string name, string sectionOwner, Action<SettingsReader> read, bool isRequired = false)
    {
        if (isRequired)
            Require(name);
        Read(name, setting => setting, setting => ReadAll(setting, sectionOwner, Report, read));

        void Report(string key, string error)
        {
            // The settings around it may be read again.
            refused.Add(name);
            report(name, error);
        }
    }

    /// <summary>Reads sections by their names, each as <see cref="ReadAll"/> does.</summary>
    public void ReadSections(string name, string sectionOwner, Action<string, SettingsReader> read) => ReadSection(name, name, sections =>
    {
        foreach (string key in sections.Names)
            sections.ReadSection(key, sectionOwner, settings => read(key, settings));
    });

    /// <summary>Returns true if one of the settings was given and refused, so that it is reported already and must not be called missing.</summary>
    public bool HasRefused(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (refused.Contains(name))
                return true;
        }
        return false;
    }

    /// <summary>Ignores settings that are not read, because it is not known which ones exist.</summary>
    public void IgnoreUnknown() => _ignoresUnknown = true;

    IEnumerable<string> Names => section.GetChildren().Select(static child => child.Key);

    void Require(string name)
    {
        if (Find(name) is null && refused.Add(name))
            report(name, $"'{section.Path}:{name}' is missing. Set it.");
    }

    void Read<T>(string name, Func<IConfigurationSection, T> parse, Action<T> set)
    {
        if (!_known.Contains(name))
            _known.Add(name);
        if (refused.Contains(name) || Find(name) is not { } setting)
            return;
        try
        {
            set(parse(setting));
        }
        catch (FormatException error)
        {
            refused.Add(name);
            report(name, error.Message);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            refused.Add(name);
            report(name, Invalid(setting, error));
        }
    }

    IConfigurationSection? Find(string name) => section.GetChildren().FirstOrDefault(child => child.Key.Equals(name, StringComparison.OrdinalIgnoreCase));

    void ReportUnknown()
    {
        // If the section was refused before any setting was read, it is not known which ones exist.
        if (_ignoresUnknown || _known.Count == 0)
            return;
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
            report(child.Key, $"'{child.Path}' is not a setting of {owner}. The settings are: {string.Join(", ", _known)}.");
    }

    static T[] ListOf<T>(IConfigurationSection setting, Func<IConfigurationSection, T> parse) => string.IsNullOrEmpty(setting.Value)
        ? [.. setting.GetChildren().Select(parse)]
        : throw new FormatException($"'{setting.Path}' is a single value. It must be a list, whose first entry is '{setting.Path}:0'.");

    static string TextOf(IConfigurationSection setting) => setting.Value ?? throw new FormatException($"'{setting.Path}' must be a single value.");

    static string FileTextOf(IConfigurationSection setting)
    {
        try
        {
            return File.ReadAllText(TextOf(setting)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Malformed(setting, "the path of a file that exists and can be read");
        }
    }

    static FormatException Malformed(IConfigurationSection setting, string expected) =>
        new($"'{setting.Path}' is '{setting.Value}', which is not {expected}.");

    // The name of the parameter means nothing to the author of the configuration.
    static string Invalid(IConfigurationSection setting, Exception error) => $"'{setting.Path}' is not valid: {error.Message.Split(" (Parameter '")[0]}";
}
