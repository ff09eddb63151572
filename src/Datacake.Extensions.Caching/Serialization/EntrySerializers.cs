using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.Extensions.Caching.Serialization;

/// <summary>The serializers of values, by their types. Thread-safe.</summary>
/// <param name="options">The settings of the cache.</param>
/// <param name="services">The services of the application; null if there are none.</param>
sealed class EntrySerializers(DatacakeHybridCacheOptions options, IServiceProvider? services)
{
    readonly ConcurrentDictionary<Type, object> _serializers = [];

    /// <summary>Returns the serializer of a type.</summary>
    /// <exception cref="NotSupportedException">JSON does not support the type.</exception>
    public IHybridCacheSerializer<T> Of<T>() =>
        _serializers.TryGetValue(typeof(T), out object? known) ? (IHybridCacheSerializer<T>)known : (IHybridCacheSerializer<T>)_serializers.GetOrAdd(typeof(T), Find<T>());

    IHybridCacheSerializer<T> Find<T>()
    {
        foreach (var factory in options.SerializerFactories)
        {
            if (factory.TryCreateSerializer<T>(out var made))
                return made;
        }
        if (services?.GetService<IHybridCacheSerializer<T>>() is { } registered)
            return registered;
        // Options that were set for this cache count more than a factory for all caches, such as the one of Microsoft's own hybrid cache, which takes every type.
        if (options.JsonSerializerOptions is not null && SimpleSerializer.Instance is not IHybridCacheSerializer<T>)
            return Json<T>();
        foreach (var factory in services?.GetServices<IHybridCacheSerializerFactory>().Reverse() ?? [])
        {
            if (factory.TryCreateSerializer<T>(out var made))
                return made;
        }
        return SimpleSerializer.Instance as IHybridCacheSerializer<T> ?? Json<T>();
    }

    JsonEntrySerializer<T> Json<T>() => new((JsonTypeInfo<T>)JsonOptions().GetTypeInfo(typeof(T)));

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Without reflection, the options of the application are needed.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Without reflection, the options of the application are needed.")]
    JsonSerializerOptions JsonOptions()
    {
        var json = options.JsonSerializerOptions;
        if (json?.TypeInfoResolver is not null)
            return json;
        if (!JsonSerializer.IsReflectionEnabledByDefault)
        {
            throw new NotSupportedException(
                $"The values of a hybrid cache cannot be made JSON without reflection. Set {nameof(options.JsonSerializerOptions)} with a type info resolver, or add a serializer.");
        }
        return json is null ? JsonSerializerOptions.Default : new JsonSerializerOptions(json) { TypeInfoResolver = JsonSerializerOptions.Default.TypeInfoResolver };
    }

    sealed class JsonEntrySerializer<T>(JsonTypeInfo<T> type) : IHybridCacheSerializer<T>
    {
        public T Deserialize(ReadOnlySequence<byte> source)
        {
            var reader = new Utf8JsonReader(source, new JsonReaderOptions
            {
                AllowTrailingCommas = type.Options.AllowTrailingCommas,
                CommentHandling = type.Options.ReadCommentHandling,
                MaxDepth = type.Options.MaxDepth,
            });
            return JsonSerializer.Deserialize(ref reader, type)!;
        }

        public void Serialize(T value, IBufferWriter<byte> target)
        {
            using var writer = new Utf8JsonWriter(target, new JsonWriterOptions { Encoder = type.Options.Encoder, Indented = type.Options.WriteIndented });
            JsonSerializer.Serialize(writer, value, type);
        }
    }
}
