using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>Extension methods that read the settings of a configuration section. Errors name the setting by its path.</summary>
static class SectionReader
{
    /// <summary>Applies each setting of a section.</summary>
    /// <param name="section">The section.</param>
    /// <param name="settings">The known settings.</param>
    /// <param name="owner">The owner of the settings, for errors: <c>a node</c>.</param>
    /// <exception cref="InvalidOperationException">A setting is unknown, or its value is malformed or invalid.</exception>
    public static void Apply(this IConfigurationSection section, IReadOnlyDictionary<string, Action<IConfigurationSection>> settings, string owner)
    {
        foreach (var setting in section.GetSettings())
        {
            if (!settings.TryGetValue(setting.Key, out var apply))
            {
                throw new InvalidOperationException(
                    $"'{setting.Path}' is not a setting of {owner}. The settings are: {string.Join(", ", settings.Keys)}.");
            }
            try
            {
                apply(setting);
            }
            catch (ArgumentException error)
            {
                // The name of the parameter means nothing to the author of the configuration.
                throw new InvalidOperationException($"'{setting.Path}' is not valid: {error.Message.Split(" (Parameter '")[0]}", error);
            }
        }
    }

    /// <summary>Returns the settings in a section; empty if there are none.</summary>
    public static IEnumerable<IConfigurationSection> GetSettings(this IConfigurationSection section) =>
        string.IsNullOrEmpty(section.Value)
            ? section.GetChildren()
            : throw new InvalidOperationException($"'{section.Path}' is a single value. It must be a section of settings.");

    /// <summary>Returns the texts of a list; empty if there are none.</summary>
    public static IEnumerable<string> GetTexts(this IConfigurationSection section) =>
        string.IsNullOrEmpty(section.Value)
            ? section.GetChildren().Select(GetText)
            : throw new InvalidOperationException($"'{section.Path}' is a single value. It must be a list, whose first entry is '{section.Path}:0'.");

    public static string GetText(this IConfigurationSection setting) =>
        setting.Value ?? throw new InvalidOperationException($"'{setting.Path}' must be a single value.");

    public static int GetNumber(this IConfigurationSection setting) =>
        int.TryParse(setting.GetText(), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw Malformed(setting, $"a whole number from 0 to {int.MaxValue}");

    public static long GetLongNumber(this IConfigurationSection setting) =>
        long.TryParse(setting.GetText(), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Malformed(setting, $"a whole number from 0 to {long.MaxValue}");

    public static bool GetBoolean(this IConfigurationSection setting) =>
        bool.TryParse(setting.GetText(), out bool value) ? value : throw Malformed(setting, "true or false");

    /// <summary>Returns a time span. A number alone is refused, because it would stand for days.</summary>
    public static TimeSpan GetTime(this IConfigurationSection setting) =>
        setting.GetText().Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(setting.Value, CultureInfo.InvariantCulture, out var time)
            ? time
            : throw Malformed(setting, "a time as hours, minutes and seconds, such as 00:00:30");

    public static DateTimeOffset GetDate(this IConfigurationSection setting) =>
        DateTimeOffset.TryParse(setting.GetText(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : throw Malformed(setting, "a date and time, such as 2030-01-31T12:00:00Z");

    public static T GetName<T>(this IConfigurationSection setting)
        where T : struct, Enum
    {
        string[] names = Enum.GetNames<T>();
        return names.Contains(setting.GetText(), StringComparer.OrdinalIgnoreCase)
            ? Enum.Parse<T>(setting.GetText(), ignoreCase: true)
            : throw Malformed(setting, $"one of {string.Join(", ", names)}");
    }

    static InvalidOperationException Malformed(IConfigurationSection setting, string expected) =>
        new($"'{setting.Path}' is '{setting.Value}', which is not {expected}.");
}
