# == shell writes and reads
# %% a
!echo x > f.txt
# %% b
!cat f.txt
# %% c
!cp f.txt g.txt
# %% d
!cat g.txt
# %% e
print(open("g.txt").read())
#> a -> b: file f.txt
#> a -> c: file f.txt
#> c -> d: file g.txt
#> c -> e: file g.txt

# == shell patterns
# %% a
!echo x > one.csv
# %% b
!cat *.csv
# %% c
!ls
# %% d
!wc -l < one.csv
#> a -> b: file one.csv
#> a -> c: file one.csv
#> a -> d: file one.csv

# == a script cell
# %% a
%%bash
mkdir -p out
echo 1 > out/x.txt
# %% b
%%bash
cat out/x.txt
# %% c
print(open("out/x.txt").read())
#> a -> b: file out, file out/x.txt
#> a -> c: file out, file out/x.txt

# == appended by the shell
# %% a
!echo 1 >> log.txt
# %% b
!echo 2 >> log.txt
# %% c
print(open("log.txt").read())
#> a -> b: file log.txt
#> b -> c: file log.txt

# == pipes and several commands
# %% a
!echo b > f.txt && sort f.txt | head -1 > g.txt
# %% b
!cat g.txt; cat f.txt
#> a -> b: file f.txt, file g.txt

# == a shell variable is a name of the notebook
# %% a
name = "f.txt"
# %% b
!echo 1 > {name}
# %% c
!cat $name
# %% d
print(open("f.txt").read())
#> a -> b: name
#> a -> c: name
#> b -> c: file f.txt
#> b -> d: file f.txt

# == a program that is written and run
# %% a
%%writefile prog.py
open("made.txt", "w").write("1")
# %% b
!python prog.py
# %% c
print(open("made.txt").read())
#> a -> b: file prog.py
#> b -> c: file *

# == subprocess with a list
# %% [imports]
import subprocess
# %% a
open("f.txt", "w").write("1")
# %% b
subprocess.run(["cp", "f.txt", "g.txt"])
# %% c
print(open("g.txt").read())
#> a -> b: file f.txt
#> b -> c: file g.txt

# == subprocess with a shell
# %% [imports]
import os
import subprocess
# %% a
subprocess.run("echo 1 > f.txt", shell=True)
# %% b
print(subprocess.check_output(["cat", "f.txt"]))
# %% c
os.system("echo 2 > h.txt")
# %% d
print(open("h.txt").read())
#> a -> b: file f.txt
#> c -> d: file h.txt

# == appended with writefile
# %% a
%%writefile f.txt
a
# %% b
%%writefile -a f.txt
b
# %% c
print(open("f.txt").read())
#> a -> b: file f.txt
#> b -> c: file f.txt

# == shell that only shows
#! not run: `ls -la` prints the time
# %% a
!echo hello
# %% b
!pwd
# %% c
!ls -la
# %% d
!nproc
#> nothing

# == removed by the shell
# %% a
!touch f.txt
# %% b
!rm f.txt
# %% c
import os
print(os.path.exists("f.txt"))
#> a -> b: file f.txt
#> b -> c: file f.txt

# == what a command prints is a value
# %% a
files = !ls
# %% b
print(len(files))
#> a -> b: files

# == a shell that makes a directory and lists it
# %% a
!mkdir -p data
# %% b
open("data/x.txt", "w").write("1")
# %% c
!ls data
#> a -> b: file data
#> b -> c: file data/x.txt
#> a -> c: file data

# == sed in place
# %% a
open("f.txt", "w").write("a")
# %% b
!sed -i s/a/b/ f.txt
# %% c
print(open("f.txt").read())
#> a -> b: file f.txt
#> b -> c: file f.txt
