using PSModel.Help;

// The checkout's own folder, or the one given.
string root = args.Length > 0 ? args[0] : Directory.GetCurrentDirectory();
HelpBook book = new(Path.Combine(root, "src", "PSModel.Help", "Topics"), Path.Combine(root, "PSModel.psd1"));
book.Write(Path.Combine(root, "en-US"));
return 0;
