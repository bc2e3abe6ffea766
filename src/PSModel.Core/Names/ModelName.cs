using System.Diagnostics.CodeAnalysis;
using PSModel.Core.Faults;

namespace PSModel.Core.Names;

/// <summary>
/// A model's name, <c>[scheme://][host/][namespace/]model[:tag][@sha256:…]</c>, complete with the defaults of Ollama.
/// Immutable; equal when all parts are.
/// </summary>
/// <remarks>The grammar is Ollama's (<c>types/model/name.go</c>). Every part begins with a letter, a digit or an
/// underscore, so no valid name can point out of the store.</remarks>
public sealed record ModelName
{
    /// <summary>The scheme of a name that gives none.</summary>
    public const string DefaultScheme = "https";

    /// <summary>The host of a name that gives none.</summary>
    public const string DefaultHost = "registry.ollama.ai";

    /// <summary>The same registry by another name. To Ollama a model has one name, whichever of the two it is asked for by.</summary>
    internal const string OtherDefaultHost = "ollama.com";

    /// <summary>The namespace of a name that gives none.</summary>
    public const string DefaultNamespace = "library";

    /// <summary>The tag of a name that gives none.</summary>
    public const string DefaultTag = "latest";

    private ModelName(string scheme, string host, string @namespace, string model, string tag, BlobDigest? pin = null)
    {
        Pin = pin;
        Scheme = scheme;
        Host = host;
        Namespace = @namespace;
        Model = model;
        Tag = tag;
    }

    /// <summary><c>https</c> or <c>http</c>: how the registry is reached. Not part of the name in the store.</summary>
    public string Scheme { get; }

    /// <summary>The registry's host, with a port if there is one.</summary>
    public string Host { get; }

    /// <summary>The namespace; no dot.</summary>
    public string Namespace { get; }

    /// <summary>The model.</summary>
    public string Model { get; }

    /// <summary>The tag.</summary>
    public string Tag { get; }

    /// <summary>The digest that the manifest's bytes must have; <see langword="null"/> where any will do. Not part of the name in the
    /// store.</summary>
    public BlobDigest? Pin { get; }

    /// <summary>The same name for whatever manifest.</summary>
    internal ModelName WithoutPin => Pin is null ? this : new(Scheme, Host, Namespace, Model, Tag);

    /// <summary>The name without the default host and namespace and without the scheme, always with the tag.</summary>
    public string Shortest
    {
        get
        {
            string tail = $"{Model}:{Tag}";
            return Host != DefaultHost ? $"{Host}/{Namespace}/{tail}"
                : Namespace != DefaultNamespace ? $"{Namespace}/{tail}"
                : tail;
        }
    }

    /// <summary>Reads a name.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static ModelName Parse(string? text) =>
        TryParse(text, out ModelName? name, out string? problem)
            ? name
            : throw new ModelFaultException(
                ModelFault.InvalidModelName,
                $"'{OutsideText.Of(OutsideText.Typed(text))}' is not a model name: {problem}. A name is [scheme://][host/][namespace/]model[:tag][@sha256:…], 'gemma4:31b' for instance.",
                new FaultFacts { Name = OutsideText.Of(OutsideText.Typed(text)) });

    /// <summary>Reads a name; <paramref name="problem"/> says what is wrong where there is one.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ModelName? name, [NotNullWhen(false)] out string? problem)
    {
        name = null;
        if (string.IsNullOrEmpty(text))
        {
            problem = "it is empty";
            return false;
        }

        if (OutsideText.HasUserInformation(text!))
        {
            problem = NameText.HoldsSecret;
            return false;
        }

        string rest = text!;
        BlobDigest? pin = CutPin(ref rest);
        string? tag = CutTag(ref rest);
        string? model = rest;
        string? @namespace = CutModel(ref model, out string? front);
        string? scheme = NameText.CutScheme(ref front);
        string? host = front;

        problem =
            Check("tag", tag, 80, NameText.IsNameCharacter)
            ?? Check("model", model, 80, NameText.IsNameCharacter)
            ?? Check("namespace", @namespace, 80, IsNamespaceCharacter)
            ?? Check("host", host, 350, IsHostCharacter)
            ?? NameText.CheckScheme(scheme);
        if (problem is not null)
        {
            return false;
        }

        name = new ModelName(
            scheme ?? DefaultScheme,
            host is null || IsDefaultHost(host) ? DefaultHost : host,
            @namespace ?? DefaultNamespace,
            model,
            tag ?? DefaultTag,
            pin);
        return true;
    }

    /// <summary>Whether another name is of the same model, whatever its tag; Ollama compares names without case.</summary>
    public bool IsSameModel(ModelName other) =>
        string.Equals($"{Host}/{Namespace}/{Model}", $"{other.Host}/{other.Namespace}/{other.Model}", StringComparison.OrdinalIgnoreCase);

    /// <summary>The same name for the manifest of a digest.</summary>
    internal ModelName WithPin(BlobDigest pin) => new(Scheme, Host, Namespace, Model, Tag, pin);

    /// <summary>The same model by another tag, which is one.</summary>
    internal ModelName WithTag(string tag) => new(Scheme, Host, Namespace, Model, tag);

    /// <summary>The shortest text that reads back as this very name.</summary>
    public override string ToString() =>
        $"{(Scheme == DefaultScheme ? Shortest : $"{Scheme}{NameText.SchemeSeparator}{Host}/{Namespace}/{Model}:{Tag}")}{(Pin is null ? string.Empty : $"@{Pin}")}";

    /// <summary>Names of hosts are the same in any letters.</summary>
    private static bool IsDefaultHost(string host) =>
        string.Equals(host, DefaultHost, StringComparison.OrdinalIgnoreCase) || string.Equals(host, OtherDefaultHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Leaves what stands before a digest.</summary>
    private static BlobDigest? CutPin(ref string rest)
    {
        int at = rest.LastIndexOf('@');
        if (at < 0 || !BlobDigest.TryParse(rest.Substring(at + 1), out BlobDigest? pin))
        {
            return null;
        }

        rest = rest.Substring(0, at);
        return pin;
    }

    private static string? CutTag(ref string rest)
    {
        int colon = rest.LastIndexOf(':');
        if (colon < 0 || colon < rest.LastIndexOf('/'))
        {
            return null;
        }

        string tag = rest.Substring(colon + 1);
        rest = rest.Substring(0, colon);
        return tag;
    }

    /// <summary>Leaves the model in <paramref name="model"/>; gives the namespace, and what stands before it.</summary>
    private static string? CutModel(ref string model, out string? front)
    {
        front = null;
        int slash = model.LastIndexOf('/');
        if (slash < 0)
        {
            return null;
        }

        string before = model.Substring(0, slash);
        model = model.Substring(slash + 1);
        int second = before.LastIndexOf('/');
        if (second < 0)
        {
            return before;
        }

        front = before.Substring(0, second);
        return before.Substring(second + 1);
    }

    private static string? Check(string part, string? text, int longest, Func<char, bool> isAllowed)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Length == 0)
        {
            return $"its {part} is empty";
        }

        if (text.Length > longest)
        {
            return $"its {part} is longer than {longest} characters";
        }

        if (!NameText.IsWordCharacter(text[0]))
        {
            return $"its {part} begins with {Shown(text[0])}";
        }

        foreach (char c in text)
        {
            if (!isAllowed(c))
            {
                return $"its {part} contains {Shown(c)}";
            }
        }

        return null;
    }

    private static string Shown(char c) => c is >= ' ' and <= '~' ? $"'{c}'" : $"U+{(int)c:X4}";

    private static bool IsNamespaceCharacter(char c) => NameText.IsWordCharacter(c) || c == '-';

    private static bool IsHostCharacter(char c) => NameText.IsNameCharacter(c) || c == ':';
}
